import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Criterion } from "./criteria/criterion.ts";
import { criteria, framework, objectiveOf, objectives, sealLevels, sourceOf } from "./criteria.ts";
import { revenueReport } from "./revenue/revenue.ts";
import { marchQuarter } from "./revenue/testing.ts";

const opening = `# Reports

What \`bailiwick report\` and the control API's \`/reports\` say. **All of it is an aid, not legal advice.** JSON is the truth; a
page is made of it alone (\`--out FILE\`, or standard output), in one HTML file that fetches nothing, runs nothing and prints on
A4. Each report opens with \`about\`: its \`format\`, when it was made (\`at\`), the release, the installation, the versions and digests of the facts
and of the policies that held, the period where it has one, and a note. The same state gives the same bytes but for \`at\`, and for
a period that was not named. How an operator goes about it: [operating/reports.md](../operating/reports.md).

Evidence has a class: \`measured\` is what this cloud itself has seen, the others are as in [policy.md](policy.md). Evidence that
has expired, or does not count yet, is in no answer; the sovereignty report lists it under \`notCounted\`. A site of which no
facts speak counts as the settings have it, undated.

This page is made from the reports themselves
(\`node --test --test-update-snapshots src/disclosure/reference.test.ts\`).

## \`sovereignty\`

The ${framework.name}, ${framework.version}, of the ${framework.publisher}: <${framework.source}>.

**Where the 48 criteria are from.** Version 1.2.1 of the framework names factors that contribute to each objective. Numbered they
are the questions of the calculator (a workbook) that the Commission published with its implementation guidance on 1 June 2026:
8, 6, 5, 6, 7, 5, 7 and 4 under the eight objectives, 48 together. Neither document was at hand itself when this list was made:
it follows transcriptions of the calculator that others have published, two of which, made independently of each other, have the
same number of questions under each objective. Each is here in our own words, under the number that it has there (\`SOV-5.6\` is
the sixth question below SOV-5). Where ours and the Commission's words differ, theirs count. Weights are those of version 1.2.1;
the calculator, as it was transcribed, has others (SOV-1 20, SOV-5 10, SOV-7 15), and a procurement may set its own. Nothing here
is computed from weights.

**What is said of each criterion.** \`computed\`: the rule below has decided it from live state (facts and policies that hold,
destinations that are up, the transparency log, usage of the period); \`answer\` says how, and \`facts\` by what. \`attested\`: no rule
decided it, and the facts attest it (\`attestations\`, [policy.md](policy.md)). \`open\`: neither; \`wouldAnswer\` says what would, and
\`facts\` hold what bears on it without deciding it. Being computed is no merit: a rule decides for the worse more often than for
the better, because what is bad can be seen and what is good often cannot.

**There is no overall mark.** The framework computes a score and a level from an assessor's choices; a program that chose for
itself would only look like one. \`ceiling\` of an objective is an aid: the level above which it cannot be by what was computed,
taken from the levels that the calculator gives to answers, with its reason and the criterion. Nothing is reached by it, and
null means only that no rule holds it down. The levels, in our words:

${sealLevels.map((text, level) => `- SEAL-${level}: ${text}.`).join("\n")}

**Hardware** is listed by host: what the facts say of its accelerators, and what the host itself reports. Where the two do not
go together, \`doubt\` says so. Where the facts are silent, a maker whose name is in what the host reports (NVIDIA, AMD, Intel,
Apple: all with their seats in the US) counts as measured, for SOV-5.6.
`;

const quarter = revenueReport(marchQuarter());
const definitionRows = quarter.figures
  .map(({ id, version, definition }) => `- \`${id}\`, ${version}: ${definition}.`)
  .join("\n");

const others = `
## \`processing\`

The record that a processor keeps (GDPR, art. 30(2)), for one organisation as the controller. It names no other organisation.

- \`processor\` (art. 30(2)(a)): who operates this cloud, by the settings \`disclosure.processor\`; null: not filled in.
- \`controller\` (art. 30(2)(a)): the organisation.
- \`projects\` (art. 30(2)(b)): data class, where data may be processed and rest, regimes, and the categories of processing in the period.
- \`places\`: where requests of the period were processed.
- \`rest\`: what rests, where, until when.
- \`transfers\` (art. 30(2)(c)): as the report below, for this organisation, outside the EEA.
- \`subProcessors\`: those that the facts list, with their state.
- \`measures\` (art. 30(2)(d), 32): \`computed\` from live state, or \`declared\` by \`disclosure.measures\`.
- \`controllerFields\` (art. 30(1)(b) to (f)): what \`disclosure.controller\` says.
- \`notFilledIn\`: settings that nobody has filled in.

## \`transfers\`

What was placed outside an area (\`--area\`, else the EEA) in a period, by project, data class, place, importer and basis.

- \`made\`: processed at a place outside (\`way\`: \`place\`), or at one that nobody has declared (\`undeclared\`: it is never taken for
  inside). \`reachable\`: processed inside, at a site that its operator's staff reach from outside (\`access\`), or under an operator
  whom a law from outside reaches (\`law\`): chapter V of the GDPR turns on who receives the data, not on where a machine stands.
- \`basis.adequacy\`: the decisions that hold for the jurisdictions in play (of the place, of laws, of access), each with its date
  and source; \`notCovered\`: those of them that none covers. \`asserted\`: what the tenant asserted by \`bailiwick-legal-basis\`.
- \`lookedAt\`: the period, and how many requests were looked at. Where there was none outside, \`summary\` says \`None\` with that.
- \`notSeen\`: what could not be seen. Importers, laws and adequacy are those of now, not of each request's moment.

Counts are of settled requests. \`unrated\` are those whose tokens nobody could prove; they are in no count of tokens.

## \`sub-processors\`

\`list\`: name, country, purpose, days, evidence and \`state\` (\`in force\`, \`planned\`, \`ended\`; \`not shown\`: its evidence does not
count). With \`--since\` \`changes\` against the facts that held then: \`added\`, \`removed\`, \`changed\`, and that version. An entry is
known by its name, country and first day.

## \`jurisdiction\`

Data Act, Regulation (EU) 2023/2854, art. 28(1): for each service (a model as requests name it) the sites at which it is computed,
with their jurisdiction, who runs them, that company's seat and further laws that reach it; and the technical, organisational and
contractual measures, computed and declared. It is public: \`GET /.well-known/bailiwick/jurisdiction\` is the page, with \`.json\` its
JSON. Nothing of a tenant is in it, and no machine by its id; names, sources of evidence and \`disclosure\` of the settings are.

## \`revenue\`

A quarter of a calendar year as a listed cloud tells it, in one currency, from what was posted to the ledger
([ledger.md](ledger.md)) and what was metered. \`--out FILE\` by its ending: HTML with pictures (where the packages that draw are
installed), PDF/A-3b, or JSON. It has an opening of its own: \`format\` (\`bailiwick-revenue/1\`), \`at\`, \`release\`,
\`installation\`, \`quarter\`, \`period\` (midnight by the price book's clock, of \`timeZone\`), \`bookPeriod\` (\`month\`, \`quarter\` or \`year\`: how long the books' periods are), \`currency\`, and \`status\`: \`provisional\` while
a month of the quarter is open, else \`final\`.

- \`figures\`: each with \`id\`, \`version\` and \`definition\`; \`denominator\`: of a share, the figure that it is a share of;
  \`value\`: a decimal string, exact or of 18 decimals, or null with the reason in \`why\` (a share of nothing is none, not 0);
  \`caveat\`: what whoever reads the value has to know besides (hours of processors, or so few that they say nothing), or null;
  \`postings\`: the accounts and months whose postings it is made of.
- \`products\`, \`months\`, \`topCustomers\` (the ten with the most external revenue), \`balances\`, \`accelerators\` (seconds up and
  busy, by kind), \`tokens\`.
- \`lines\` and \`yearBefore\`: what was posted by account, customer and month, in the quarter and in that of the year before.

The figures, with the versions of their definitions:

${definitionRows}

AI is what \`disclosure.revenue.aiProducts\` names; other segments of the group are the organisations in \`billing.internal\`.
External revenue and intersegment revenue together are all that is posted to \`revenue/...\`, \`intersegment/...\` and \`breakage\`. Breakage is
revenue of contracts with customers (IFRS 15.B44 to B47) and a product of its own, \`breakage\`; that of other segments is in
\`intersegment/breakage\`. What a contract commits its customer to and is not used is in \`other\`, whatever else the contract prices: a commitment is one sum
for everything that is used, and nothing was used for what is left of it. So neither ever raises the AI share.
Growth and run rates are of whole quarters: before one has ended there is none, and \`why\` says whether it has begun.
What this cloud's hosts served is told by requests' own tokens: where other services told usage of the same SKU, it is the part of that sum's price
that its tokens are of the sum's. A reservation is charged for as what other services tell, which does not say whose accelerators it was of.
Whatever the books' periods are, usage counts in the month in which it was used, and what is late, in the one in which it came: revenue and tokens alike (usage that a price book with longer periods moved there, in that of its last use). What only
a close knows (true-ups, what prepaid credits pay for) counts in the last month of the closed period, because it is of the whole of it: of books by
quarter or year that is no month's own, so they have no run rate by the last month, and of books by year the fourth quarter has it. Tokens have no price before their
SKU has one: those that wait (\`usage unrated list\`) count in no quarter yet, and those written off, in that in which somebody did it.
A quarter whose months are closed stays as it is: what comes later is of a later one. What is owed behind it (\`remaining-obligations\`) is by the
version of the price book that was in force at its end (\`price-book history\`), whatever was applied since; where there was none, by the one with which its last period was closed.
Revenue is exact: what invoices gain or lose by rounding to the cent stands in \`rounding-residual\`, and in no figure. Accelerators'
time is what hosts have told since this release was installed, by the minute; a host that was just started counts from its
second minute on.

\`--auditors-pack DIR\` writes \`ledger.csv\` (every posting), \`disclosure.json\` (the report, and \`ledger\`: that file's
\`sha256\` and how many \`transactions\` it has), \`check.py\` (Python 3.8 and nothing else: derives lines, tables and figures from the
ledger anew; exit code 0 where all agree, 1 where one differs, 2 where it cannot look) and a \`README.txt\`. It says what it cannot derive:
names, the summary's words, which products are AI and which months closed, and what was metered.
\`bailiwick ledger why POSTING\` goes on from there, to the invoice's line, usage, requests and receipts.

## \`ai-act-log\`

For a tenant whose own system is high-risk under the AI Act, Regulation (EU) 2024/1689: what a deployer or provider can keep of this
cloud's part in its system (art. 12, 19, 26(6)). Lines of JSON (\`bailiwick-ai-act-log/1\`), each with its kind in \`line\`:

- \`opening\`, the first: \`format\`, \`project\`, \`organisation\`, \`from\`, \`to\` (not in it), \`at\`, \`release\`, \`installation\`;
  \`retention\`: for how many days the records are kept here (\`keptDays\`; null: without an end), and whether that is six months
  (184 days) or more (\`isKept\`); \`refusals\`: how many of those are kept.
- \`request\`, by the order of ids: \`request\`, \`receipt\`, \`startedAt\`, \`endedAt\`, \`endpoint\`, \`model\`, \`modelSha256\` and
  \`adapterSha256\` (null: not known here), \`engine\`, \`site\`, \`jurisdiction\`, \`dataClass\`, \`decision\` (its digest, by which a replay
  finds it, and the version of the rules), \`ending\`, \`inputTokens\`, \`outputTokens\` (null: not known).
- \`refusal\`: \`request\`, \`at\`, \`endpoint\`, \`model\`, \`code\`, \`message\`.
- \`end\`, the last: \`requests\`, \`refusals\`. A file without it is not whole.

Prompts and answers are not in it. Times are UTC, ISO 8601. A receipt is fetched and verified by its id
([receipt.md](receipt.md)), which is what makes a line more than a claim.
`;

test("docs/reference/reports.md lists every criterion with its rule and its source", (context) => {
  const sections = objectives.map(({ id, title, weightPercent }) => {
    const mine = criteria.filter((each) => objectiveOf(each) === id);
    return `\n### ${id} ${title} (${weightPercent} %)\n\n${mine.map(describe).join("\n")}`;
  });
  const path = fileURLToPath(new URL("../../docs/reference/reports.md", import.meta.url));
  const text = [opening, ...sections, others].join("");
  context.assert.fileSnapshot(text, path, { serializers: [(value: unknown) => String(value)] });
});

function describe(criterion: Criterion): string {
  const { id, title, asks, rule, wouldAnswer } = criterion;
  const how = rule === null ? "Attested only." : `Rule: ${rule}`;
  return `- **${id} ${title}.** ${asks} ${how} Where it is open: ${wouldAnswer} Source: ${sourceOf(criterion)}.\n`;
}
