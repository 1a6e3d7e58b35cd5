/** What an operator shows of this run: a fire drill, and the three reports, in words and as JSON. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandFails } from "../../test/end-to-end/cloud.ts";
import type { Borders } from "./cloud.ts";

interface Sum {
  readonly requests: number;
  readonly placements: readonly {
    readonly project: string;
    readonly requests: number;
    readonly keptBy?: Readonly<Record<string, unknown>> | null;
  }[];
}

/** What the drill's JSON says, as far as it is looked at here. */
interface Drilled {
  readonly replayed: number;
  readonly lost: Sum;
  readonly moved: Sum;
  readonly drifted: { readonly requests: number };
}

export interface Drill {
  readonly loses: readonly string[];
  readonly replayed: number;
  readonly lost: number;
  readonly elsewhere: number;
  readonly drifted: number;
  /** Tenants that would have lost something, by their projects. */
  readonly tenants: readonly string[];
}

const losses = ["--lose", "site:fr", "--revoke", "adequacy:US"];

export async function drill({ cloud }: Borders): Promise<Drill> {
  const { replayed, lost, moved, drifted } = await cloud.command<Drilled>("drill", ...losses);
  const theirs = lost.placements.filter(({ project }) => ownerOf(project) !== cloudsOwn);
  return {
    loses: losses.filter((word) => word.includes(":")),
    replayed,
    lost: theirs.reduce((sum, { requests }) => sum + requests, 0),
    elsewhere: moved.requests,
    drifted: drifted.requests,
    tenants: [...new Set(theirs.map(({ project }) => ownerOf(project)))].toSorted(),
  };
}

/** Whose the cloud's own first question is: it ran at whichever host came first, when there was no other one. */
const cloudsOwn = "default";

function ownerOf(project: string): string {
  return project.split("/")[0]!;
}

export interface ReportMade {
  readonly name: string;
  readonly summary: string;
  /** The page, and the JSON that it is made of. */
  readonly html: string;
  readonly json: string;
}

/** Written to the folder; the record of processing is one tenant's. */
export async function report(
  { cloud }: Borders,
  folder: string,
  organisation: string,
): Promise<{ readonly reports: readonly ReportMade[]; readonly transfers: Transfers }> {
  mkdirSync(folder, { recursive: true });
  const reports: ReportMade[] = [];
  let transfers: Transfers = { made: [] };
  for (const [name, ...more] of [["sovereignty"], ["processing", "--organisation", organisation], ["transfers"]]) {
    const [html, json] = [join(folder, `${name}.html`), join(folder, `${name}.json`)];
    const argv = ["report", name!, ...more];
    const [page, found] = await Promise.all([
      commandFails([...argv, "--out", html, "--data", cloud.data]),
      cloud.command<{ readonly summary?: string }>(...argv),
    ]);
    if (page.code !== 0) throw new Error(`report ${name}: ${page.stderr}`);
    writeFileSync(json, `${JSON.stringify(found, undefined, 2)}\n`);
    reports.push({ name: name!, summary: found.summary ?? `For ${organisation}.`, html, json });
    if (name === "transfers") transfers = found as unknown as Transfers;
  }
  return { reports, transfers };
}

export interface Transfers {
  readonly made: readonly {
    readonly organisation: { readonly name: string };
    readonly requests: number;
    readonly destination: { readonly jurisdiction: string | null };
  }[];
}
