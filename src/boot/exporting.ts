import type { OrganisationId, ProjectId, ReceiptId, Refusal } from "../base/index.ts";
import { refuse } from "../base/index.ts";
import type { Operations } from "../gateway/index.ts";
import type { List, Page } from "../store/index.ts";
import { readReceipt } from "./books.ts";
import { declaredSite } from "./declared-site.ts";
import { dataOwner } from "./explaining.ts";
import type { OperationParts } from "./parts.ts";
import { readProof } from "./transparency.ts";

type Exporting = Operations["exports"]["organisation"];
type ExportRights = Parameters<Exporting>[1];
type Line = { readonly part: string; readonly row: unknown };

const pageRows = 500;
/** All but where a row comes from in the journal. */
const usageColumns = [
  "request",
  "organisation",
  "project",
  "key",
  "model",
  "endpoint",
  "site",
  "ending",
  "startedAt",
  "endedAt",
  "day",
  "inputTokens",
  "cachedInputTokens",
  "outputTokens",
  "reasoningTokens",
  "unrated",
  "upperBoundTokens",
  "amountBound",
  "listAmount",
  "currency",
  "priceVersion",
  "receipt",
] as const;

/**
 * Everything that an organisation owns, a line each, while it is served. What is stored of requests and answers goes
 * along where the asker may read it; where not, a line says that it is there.
 */
export function exportOrganisation(parts: OperationParts): Exporting {
  return async (organisation, may) => {
    const projects = await all((page) => listed(parts.tenancy.listProjects({ organisation }, page)));
    const refusal = exportRefusal(parts, projects);
    return refusal ?? { lines: linesOf(parts, organisation as OrganisationId, projects, may) };
  };
}

type ProjectTold = Exclude<Awaited<ReturnType<OperationParts["tenancy"]["showProject"]>>, Refusal>;

/** Policy is asked of every project: what may not leave from here leaves not as a part, either. */
function exportRefusal({ cloud, settings }: OperationParts, projects: readonly ProjectTold[]): Refusal | undefined {
  const site = declaredSite(settings.site);
  const place = { kind: "site" as const, name: site.name, site };
  for (const project of projects) {
    const question = { action: "export" as const, project: dataOwner(project), model: "any model" };
    const decision = cloud.inForce.policy.decide(question, [place]);
    if (decision.outcome === "permitted") continue;
    const reasons = decision.rejected.map(({ explanation }) => explanation);
    return refuse("no_permitted_site", `Policy does not permit an export of ${project.name} from here.`, { reasons });
  }
  return undefined;
}

async function* linesOf(
  parts: OperationParts,
  organisation: OrganisationId,
  projects: readonly ProjectTold[],
  may: ExportRights,
): AsyncGenerator<Line> {
  const { tenancy, rights, reservations } = parts;
  await parts.shipper.caughtUp(10_000);
  yield* rows("organisation", [await tenancy.showOrganisation(organisation)]);
  yield* rows("projects", projects);
  for (const { id } of projects) {
    yield* paged("keys", (page) => listed(tenancy.listKeys({ project: id }, page)));
    yield* paged("reservations", (page) => listed(reservations.list({ project: id, active: false }, page)));
    if (await may.link(id)) yield* digestKeys(parts, id as ProjectId);
  }
  yield* usage(parts, organisation);
  for (const { id } of projects) yield* receipts(parts, id as ProjectId);
  for (const { id } of projects) yield* contents(parts, id, may);
  yield* paged("audit", (page) => rights.audit.list({ organisation }, page));
  yield* paged("grants", (page) => rights.grants.list({ organisation }, page));
  yield* paged("erasures", (page) => rights.erasures.list({ organisation }, page));
  yield* paged("exits", (page) => rights.exits.list({ organisation }, page));
}

/** Without them nobody could check which texts the receipts speak of. */
async function* digestKeys({ store }: OperationParts, project: ProjectId): AsyncGenerator<Line> {
  const found = await store.db
    .selectFrom("digestKeys")
    .selectAll()
    .where("project", "=", project)
    .where("secret", "is not", null)
    .execute();
  yield* rows(
    "digest-keys",
    found.map(({ id, secret, createdAt }) => ({
      project,
      createdAt: createdAt.toISOString(),
      jwk: { kty: "oct", alg: "HS256", kid: id, k: secret!.toString("base64url") },
    })),
  );
}

async function* usage({ store }: OperationParts, organisation: OrganisationId): AsyncGenerator<Line> {
  let after = "";
  for (;;) {
    const found = await store.db
      .selectFrom("usage")
      .select(usageColumns)
      .where("organisation", "=", organisation)
      .where("request", ">", after as never)
      .orderBy("request")
      .limit(pageRows)
      .execute();
    yield* rows("usage", found);
    if (found.length < pageRows) return;
    after = found.at(-1)!.request;
  }
}

/** Each as its file is served, with the proof that it is in the log where there is one. */
async function* receipts(parts: OperationParts, project: ProjectId): AsyncGenerator<Line> {
  const { journal, clock } = parts.cloud;
  const sources = { ...parts, journal, clock };
  let after = "";
  for (;;) {
    const found = await parts.store.db
      .selectFrom("receipts")
      .select("id")
      .where("project", "=", project)
      .where("id", ">", after as ReceiptId)
      .orderBy("id")
      .limit(pageRows)
      .execute();
    for (const { id } of found) {
      const file = await readReceipt(sources, id, project);
      // It was erased since the list was read.
      if (file === undefined) continue;
      const proof = await readProof(sources, id, project);
      yield { part: "receipts", row: { id, project, file, proof: Buffer.isBuffer(proof) ? proof.toString() : null } };
    }
    if (found.length < pageRows) return;
    after = found.at(-1)!.id;
  }
}

async function* contents({ rights }: OperationParts, project: string, may: ExportRights): AsyncGenerator<Line> {
  const isOpen = await may.read(project);
  for await (const { row } of paged("contents", (page) => rights.contents.list({ project }, page))) {
    const listing = row as { readonly request: string };
    const opened = isOpen ? await rights.contents.show(listing.request, { project }) : undefined;
    if (opened === undefined) yield { part: "contents", row: { ...listing, opened: false } };
    else {
      const { input, output, ...rest } = opened;
      const told = { input: input.toString("base64"), output: output.toString("base64") };
      yield { part: "contents", row: { ...rest, opened: true, ...told } };
    }
  }
}

async function* rows(part: string, found: readonly unknown[]): AsyncGenerator<Line> {
  for (const row of found) yield Promise.resolve({ part, row });
}

async function* paged<Row>(part: string, list: (page: Page) => Promise<List<Row>>): AsyncGenerator<Line> {
  let after: string | undefined;
  do {
    const { items, next } = await list({ limit: pageRows, after });
    yield* rows(part, items);
    after = next ?? undefined;
  } while (after !== undefined);
}

async function all<Row>(list: (page: Page) => Promise<List<Row>>): Promise<readonly Row[]> {
  const found: Row[] = [];
  for await (const { row } of paged("", list)) found.push(row as Row);
  return found;
}

/** A list by an id that was found: it is refused by nobody but a race with an erasure, of which nothing is left. */
async function listed<Row>(listing: Promise<List<Row> | Refusal>): Promise<List<Row>> {
  const list = await listing;
  return "outcome" in list ? { items: [], next: null } : list;
}
