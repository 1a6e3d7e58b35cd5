/** What the demo found, for people. */
import type { Asked, Found } from "./found.ts";

export function printed(found: Found): string {
  const { sites, requests, receipts, forgeries, drill, reports, unmet, folder, seconds, engine, model } = found;
  const simulated = engine === "fake" ? " (the fake engine: answers from a script, no model)" : "";
  return [
    `Answers by ${model}${simulated}, from hosts of their own:`,
    "",
    table(
      ["SITE", "LIES IN", "OPERATOR", "HOST", "REACHED AT"],
      sites.map(({ name, jurisdiction, operator, host, address }) => [name, jurisdiction, operator, host, address]),
    ),
    table(["TENANT", "DATA", "MAY BE AT", "RAN AT", "WHY NOT, OR WHAT WAS TRIED"], requests.map(row)),
    `receipts   ${receipts.verified} of ${receipts.count} verified`,
    ...forgeries.map(({ what, refused, reason }) => `${refused ? "refused" : "PASSES "}    ${what}: ${reason}`),
    "",
    `drill      ${drill.loses.join(" and ")}: of ${drill.replayed} requests ${drill.lost} would have been lost ` +
      `(${drill.tenants.join(", ")}), ${drill.elsewhere} would have run elsewhere`,
    ...reports.map(({ name, summary, html }) => `${name.padEnd(10)} ${summary} (${html})`),
    "",
    ...(unmet.length === 0
      ? ["Everything came as it was said beforehand."]
      : ["NOT as it was said beforehand:", ...unmet]),
    `${seconds} s; receipts, keys, forgeries, reports and verify.html are in ${folder}`,
    "",
  ].join("\n");
}

function row(asked: Asked): readonly string[] {
  const { tenant, dataClass, permitted, outcome, site, step, asExpected } = asked;
  const why = [step === "each class" ? "" : step, whyNot(asked)].filter((part) => part !== "").join(": ");
  const where = outcome === "broken-off" ? `${site}, broken off` : (site ?? "nowhere");
  return [tenant, dataClass, permitted.join(" ") || "no site", asExpected ? where : `${where} (!)`, why];
}

/** Of several sites' reasons one clause is enough for a table: one that says more than a list of places does. */
function whyNot({ outcome, code, reason, reasons }: Asked): string {
  if (outcome === "answered") return "";
  const first = reasons.find((each) => !each.includes(" is processed in ")) ?? reasons[0];
  if (first === undefined) return `${code}, ${reason}`;
  return `${code}, ${first.replace(/^host ".*?" at /, "").split(";")[0]}`;
}

/** The last column is as wide as its text. */
function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = titles.map((title, at) => Math.max(title.length, ...rows.map((cells) => cells[at]!.length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => cell.padEnd(widths[at]!))
      .join("  ")
      .trimEnd();
  return `${[titles, ...rows].map(line).join("\n")}\n`;
}
