import { z } from "zod";
import { nearest } from "../../base/index.ts";
import { criterionIds } from "./criteria.ts";
import { evidence } from "./evidence.ts";
import { moment } from "./moments.ts";
import { country, groupName, jurisdiction, percent, place, plainName, scheme, sentence, shortName } from "./values.ts";

const adequacyDecision = z.strictObject({
  from: place.describe("The group or country that found so; the shipped regimes look at EU and EEA."),
  to: country.describe("The country that was found adequate."),
  decidedOn: moment.describe("The first day on which it holds."),
  source: sentence.describe("Where it can be read."),
  until: moment.optional().describe("The last day on which it holds; left out: until it is revoked."),
  scheme: scheme
    .optional()
    .describe("Where it covers some recipients only: the certificate by which an operator shows that it is one."),
});

const revokedAdequacy = z.strictObject({
  from: place.describe("As in the decision."),
  to: country.describe("As in the decision."),
  on: moment.describe("From then on it does not hold, whoever listed it."),
  source: sentence.optional().describe("Where that can be read."),
});

const jurisdictions = z.strictObject({
  groups: z
    .record(groupName, z.array(place).min(1).max(300))
    .default({})
    .describe("Your own groups by their names, with countries, subdivisions, EU or EEA as members."),
  adequacy: z.array(adequacyDecision).max(300).default([]).describe("Decisions beside the list that is shipped."),
  revoked: z.array(revokedAdequacy).max(300).default([]).describe("Decisions that ended, of either list."),
});

export const certificate = z.strictObject({
  scheme: scheme.describe("SecNumCloud, C5-type-2, HDS, ISO-27001, EUCS, EU-US-DPF, or another name."),
  scope: sentence.describe("What it covers, in its own words."),
  issuedOn: moment.describe("The first day on which it is in force."),
  expiresOn: moment.describe("The last day on which it is in force."),
  evidence: evidence.describe("What this rests on."),
});

const owner = z
  .strictObject({
    name: plainName.optional().describe("The owner's name; needed with a country. The same name is the same owner."),
    country: country.optional().describe("Where the owner has its seat, or lives."),
    operator: plainName.optional().describe("Instead of a country: a company of this list, whose own owners count."),
    votesPercent: percent.describe("Its share of the votes, as a number or a decimal string."),
    capitalPercent: percent.describe("Its share of the capital."),
    rights: z
      .array(z.enum(["veto", "majority-of-the-board"]))
      .max(2)
      .default([])
      .describe("What contracts or statutes give it beyond its votes."),
  })
  .superRefine(({ name, country, operator }, context) => {
    if ((country === undefined) === (operator === undefined)) {
      context.addIssue({ code: "custom", message: "an owner has either a country or an operator of this list" });
    } else if (country !== undefined && name === undefined) {
      context.addIssue({ code: "custom", message: "an owner with a country needs a name" });
    }
  });

const operator = z.strictObject({
  name: plainName.describe("The company or body."),
  seat: country.describe("Where its registered seat, central administration and principal establishment are."),
  establishments: z.array(country).max(300).default([]).describe("Further countries in which it is established."),
  subjectTo: z
    .array(jurisdiction)
    .max(300)
    .default([])
    .describe("Further jurisdictions whose law reaches what it holds, such as a parent's; never inferred."),
  owners: z.array(owner).max(1000).default([]).describe("Who owns it. What these leave open counts as unknown."),
  certificates: z.array(certificate).max(100).default([]).describe("What the company itself holds."),
  evidence: evidence.describe("What its seat and its owners rest on."),
});

const power = z.strictObject({
  supplier: plainName.optional().describe("Who supplies it."),
  country: country.optional().describe("Where the supplier has its seat."),
  renewablePercent: percent.optional().describe("The renewable share of a year."),
});

const site = z.strictObject({
  name: shortName.describe("The site's name, as settings, receipts and refusals have it."),
  jurisdiction: jurisdiction.describe("Where it stands: a country (DE) or a subdivision (DE-BE)."),
  place: sentence.optional().describe("Its address or town, for people."),
  operator: plainName.describe("Who runs it, by its name in the list of operators."),
  accessFrom: z
    .array(jurisdiction)
    .max(300)
    .optional()
    .describe("From where the operator's staff reach it; [] is nowhere but the site itself, left out is not known."),
  certificates: z.array(certificate).max(100).default([]).describe("What holds for this site."),
  power: power.optional().describe("Where its electricity comes from; for reports."),
  evidence: evidence.describe("What where it stands, who runs it and from where it is reached rest on."),
});

const host = z.strictObject({
  name: plainName.describe("The host's id, or an upstream's name."),
  site: shortName.describe("Where it stands, by the site's name."),
  accelerators: z.array(plainName).max(1000).default([]).describe("What is in it, by names of the list below."),
  engine: plainName.optional().describe("What computes its models, by a name of the list of engines."),
  evidence: evidence.describe("What this rests on."),
});

const accelerator = z.strictObject({
  name: plainName.describe("Its name, for hosts to name it by."),
  maker: plainName.describe("Who makes it."),
  makerCountry: country.describe("Where the maker has its seat."),
  madeIn: country.optional().describe("Where it was manufactured; for reports."),
  exportClassification: plainName.optional().describe("As the maker gives it, such as ECCN 3A090."),
  evidence: evidence.describe("What this rests on."),
});

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "64 lower-case hex digits");

const engine = z.strictObject({
  name: plainName.describe("Its name, for hosts to name it by."),
  developer: plainName.describe("Who makes it."),
  developerCountry: country.describe("Where the developer has its seat; of a community, where it is governed."),
  licence: plainName.describe("Its licence, as SPDX has it where it can."),
  build: plainName.optional().describe("Its version, as hosts report it; one that reports another is in doubt."),
  sha256: sha256.optional().describe("The digest of its build."),
  evidence: evidence.describe("What this rests on."),
});

const model = z.strictObject({
  name: plainName.describe("The name that requests use."),
  developer: plainName.describe("Who made it."),
  developerCountry: country.describe("Where the developer has its seat."),
  licence: plainName.describe("Its licence, as SPDX has it where it can."),
  sha256: sha256.optional().describe("The digest of its weights."),
  evidence: evidence.describe("What this rests on."),
});

const subprocessor = z.strictObject({
  name: plainName.describe("Who else handles tenants' data."),
  country: country.describe("Where it has its seat."),
  purpose: sentence.describe("What for."),
  since: moment.describe("Since when."),
  until: moment.optional().describe("The last day on which it does."),
  evidence: evidence.describe("What this rests on."),
});

const criterion = z.string().superRefine((id, context) => {
  if (criterionIds.includes(id)) return;
  const written = id.toUpperCase();
  // Of several as near, one of the objective that was named.
  const objective = criterionIds.filter((known) => known.split(".")[0] === written.split(".")[0]);
  const meant = nearest(written, [...objective, ...criterionIds]);
  const hint = meant === undefined ? "they go from SOV-1.1 to SOV-8.4" : `did you mean "${meant}"?`;
  context.addIssue({ code: "custom", message: `"${id}" is no criterion; ${hint}` });
});

const attestation = z.strictObject({
  criterion: criterion.describe("One of the criteria of the sovereignty report, such as SOV-1.5."),
  text: sentence.describe("What is attested, in the operator's words."),
  evidence: evidence.describe("What this rests on."),
});

const withdrawn = z.strictObject({
  sites: z.array(shortName).max(1000).default([]).describe("Sites at which nothing may run any more."),
  makers: z.array(plainName).max(1000).default([]).describe("Makers of whose accelerators none may be used any more."),
});

/** All that a policy knows of the world, in one document. */
export const factsSchema = z.strictObject({
  jurisdictions: jurisdictions.prefault({}).describe("Groups of countries, and decisions about them."),
  operators: z.array(operator).max(1000).default([]).describe("Companies: who runs sites, and who owns whom."),
  sites: z.array(site).max(1000).default([]).describe("Where machines stand."),
  hosts: z.array(host).max(10_000).default([]).describe("Machines and upstreams, bound to their sites."),
  accelerators: z.array(accelerator).max(1000).default([]).describe("What computes in hosts."),
  // Without a default: documents that say nothing of it keep the digest that they were applied with.
  engines: z.array(engine).max(1000).optional().describe("What computes models in hosts: programs and libraries."),
  models: z.array(model).max(10_000).default([]).describe("What runs on them."),
  subprocessors: z.array(subprocessor).max(1000).default([]).describe("Who else handles tenants' data; for reports."),
  // Without a default, as above.
  attestations: z
    .array(attestation)
    .max(480)
    .optional()
    .describe("What answers criteria that nothing here can compute; for reports."),
  withdrawn: withdrawn.prefault({}).describe("What is there and may not be used."),
});

export type Facts = z.output<typeof factsSchema>;
/** As written: everything that has a default may be left out. */
export type FactsInput = z.input<typeof factsSchema>;
export type Operator = Facts["operators"][number];
export type Owner = Operator["owners"][number];
export type Certificate = Operator["certificates"][number];
export type Site = Facts["sites"][number];
export type Engine = NonNullable<Facts["engines"]>[number];
export type Attestation = NonNullable<Facts["attestations"]>[number];
