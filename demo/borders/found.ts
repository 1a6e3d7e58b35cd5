/** What the demo found, for a program; and what of it is not as it was said beforehand. */
import type { Engine } from "../options.ts";
import type { Outcome, Sent } from "./asking.ts";
import type { Borders } from "./cloud.ts";
import { sites } from "./facts.ts";
import type { Forgery } from "./forgeries.ts";
import type { Kept } from "./receipts.ts";
import type { Drill, ReportMade, Transfers } from "./reporting.ts";

export interface Asked {
  readonly tenant: string;
  readonly dataClass: string;
  /** What the request was sent for. */
  readonly step: string;
  /** Where policy permits it, as the demo said before it asked. */
  readonly permitted: readonly string[];
  readonly outcome: Outcome;
  /** Where it ran, as its receipt says; null: nowhere. */
  readonly site: string | null;
  /** Of a refusal or a broken stream. */
  readonly code: string | null;
  readonly reason: string | null;
  /** Why not at each site, where policy refused it. */
  readonly reasons: readonly string[];
  readonly receipt: string | null;
  readonly asExpected: boolean;
}

export interface Found {
  readonly demo: "borders";
  readonly engine: Engine;
  readonly model: string;
  readonly folder: string;
  readonly sites: readonly {
    readonly name: string;
    readonly jurisdiction: string;
    readonly operator: string;
    readonly host: string;
    readonly address: string;
  }[];
  readonly requests: readonly Asked[];
  readonly receipts: { readonly count: number; readonly verified: number; readonly invalid: readonly string[] };
  readonly forgeries: readonly Forgery[];
  readonly drill: Drill;
  readonly reports: readonly ReportMade[];
  /** What did not come as it was said beforehand, in words; empty: everything did. */
  readonly unmet: readonly string[];
  readonly seconds: number;
}

export interface Run {
  readonly engine: Engine;
  readonly running: Borders;
  readonly out: string;
  readonly sent: readonly Sent[];
  readonly kept: readonly Kept[];
  readonly invalid: readonly string[];
  readonly forgeries: readonly Forgery[];
  readonly drill: Drill;
  readonly reports: readonly ReportMade[];
  readonly transfers: Transfers;
}

export function foundBy(run: Run): Omit<Found, "seconds"> {
  const { engine, running, out, kept, invalid, forgeries, drill, reports } = run;
  const siteOf = new Map(kept.map(({ id, site }) => [id, site]));
  const requests = run.sent.map((sent) => askedBy(sent, siteOf));
  const receipts = { count: kept.length, verified: kept.length - invalid.length, invalid };
  return {
    demo: "borders",
    engine,
    model: running.model,
    folder: out,
    sites: sites.map(({ name, jurisdiction, operator }) => {
      const { host, address } = running.machineAt(name);
      return { name, jurisdiction, operator, host, address };
    }),
    requests,
    receipts,
    forgeries,
    drill,
    reports,
    unmet: [
      ...requests.filter(({ asExpected }) => !asExpected).map(unmetText),
      ...invalid.map((each) => `a receipt does not hold: ${each}`),
      ...forgeries.filter(({ refused }) => !refused).map(({ what, reason }) => `not refused: ${what} (${reason})`),
      ...unmetByDrill(drill, requests),
      ...unmetByTransfers(run.transfers, requests),
    ],
  };
}

function askedBy(sent: Sent, siteOf: ReadonlyMap<string, string>): Asked {
  const { access, dataClass, step, permitted, outcome, code, reason, reasons, receipt } = sent;
  const site = receipt === null ? null : (siteOf.get(receipt) ?? null);
  const isThere = site === null ? outcome === "refused" : (permitted as readonly string[]).includes(site);
  const asExpected = outcome === sent.expected && isThere;
  const told = { step, permitted, outcome, site, code, reason, reasons, receipt };
  return { tenant: access.tenant.name, dataClass, ...told, asExpected };
}

function unmetText({ tenant, dataClass, step, permitted, outcome, site, code }: Asked): string {
  const where = site === null ? (code ?? "no code") : `at ${site}`;
  return `${tenant}, ${dataClass} (${step}): ${outcome}, ${where}; permitted at ${permitted.join(", ") || "no site"}`;
}

/** Who may be in France alone, or in the United States under the decision of adequacy alone, loses; nobody else does. */
function unmetByDrill({ lost, replayed, tenants, drifted }: Drill, requests: readonly Asked[]): readonly string[] {
  const unmet: string[] = [];
  const owners = ["clinic", "studio"];
  const ran = requests.filter(({ site }) => site !== null);
  const theirs = ran.filter(({ tenant }) => owners.includes(tenant)).length;
  if (tenants.join() !== owners.join()) unmet.push(`the drill loses something of ${tenants.join(", ")}`);
  if (lost !== theirs) unmet.push(`the drill loses ${lost} requests; ${theirs} ran that may be nowhere else`);
  if (replayed < ran.length) unmet.push(`the drill replays ${replayed} requests; ${ran.length} ran`);
  if (drifted > 0) unmet.push(`${drifted} requests are decided otherwise than they were`);
  return unmet;
}

/** The report names each request that ran in the United States, and no other; the cloud's own first question aside. */
function unmetByTransfers({ made }: Transfers, requests: readonly Asked[]): readonly string[] {
  const reported = made
    .filter(({ organisation }) => organisation.name !== "default")
    .reduce((sum, each) => sum + each.requests, 0);
  const ran = requests.filter(({ site }) => site === "us").length;
  return reported === ran
    ? []
    : [`the report of transfers names ${reported} requests; ${ran} ran in the United States`];
}
