import type { OrganisationId, ProjectId, ReceiptId, Refusal } from "../base/index.ts";
import { nearest, refuse } from "../base/index.ts";
import type { Operations } from "../gateway/index.ts";
import type { List, Page } from "../store/index.ts";
import { readReceipt } from "./books.ts";
import { declaredSite } from "./declared-site.ts";
import { dataOwner } from "./explaining.ts";
import { type Line, paged, pageRows, rows } from "./export-lines.ts";
import { billLines } from "./exporting-bills.ts";
import type { OperationParts } from "./parts.ts";
import { readProof } from "./transparency.ts";

type Exporting = Operations["exports"]["organisation"];
type ExportRights = Parameters<Exporting>[1];

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
  "tier",
  "ttftMs",
  "tpotMs",
  "receipt",
] as const;

/**
 * Everything that an organisation owns, a line each, while it is served. What is stored of requests and answers goes
 * along where the asker may read it; where not, a line says that it is there.
 */
export function exportOrganisation(parts: OperationParts): Exporting {
  return async (organisation, may, except = []) => {
    const projects = await all((page) => listed(parts.tenancy.listProjects({ organisation }, page)));
    const unknown = except.find((reference) => !projects.some((project) => isNamed(project, reference)));
    if (unknown !== undefined) return unknownProject(unknown, projects);
    const isLeftOut = (project: ProjectTold): boolean => except.some((reference) => isNamed(project, reference));
    const wanted = projects.filter((project) => !isLeftOut(project));
    const leftOut = new Set(projects.filter(isLeftOut).map(({ id }) => id));
    const refusal = exportRefusal(parts, wanted);
    return refusal ?? { lines: linesOf(parts, organisation as OrganisationId, { projects: wanted, leftOut }, may) };
  };
}

type ProjectTold = Exclude<Awaited<ReturnType<OperationParts["tenancy"]["showProject"]>>, Refusal>;

function isNamed({ id, name, organisation }: ProjectTold, reference: string): boolean {
  return [id, name, `${organisation.name}/${name}`].includes(reference);
}

function unknownProject(reference: string, projects: readonly ProjectTold[]): Refusal {
  const meant = nearest(
    reference,
    projects.map(({ name }) => name),
  );
  const hint = meant === undefined ? "" : ` Did you mean "${meant}"?`;
  return refuse("not_found", `The organisation has no project "${reference}" to leave out.${hint}`, {
    param: "except",
  });
}

/** Policy is asked of every project that is to leave; all that may not are told, so that they can be left out at once. */
function exportRefusal({ cloud, settings }: OperationParts, projects: readonly ProjectTold[]): Refusal | undefined {
  const site = declaredSite(settings.site);
  const place = { kind: "site" as const, name: site.name, site };
  const blocked = projects.flatMap((project) => {
    const question = { action: "export" as const, project: dataOwner(project), model: "any model" };
    const { outcome, rejected } = cloud.inForce.policy.decide(question, [place]);
    return outcome === "permitted" ? [] : [{ name: project.name, why: rejected.map((each) => each.explanation) }];
  });
  if (blocked.length === 0) return undefined;
  const names = blocked.map(({ name }) => name).join(", ");
  const rest = blocked.length < projects.length ? " The rest can be exported without." : "";
  const message = `Policy does not permit an export of ${names} from here.${rest}`;
  const reasons = blocked.flatMap(({ name, why }) => why.map((each) => `${name}: ${each}`));
  return refuse("no_permitted_site", message, { reasons });
}

/** The projects that leave, and the ids of those that are left out. */
interface Leaving {
  readonly projects: readonly ProjectTold[];
  readonly leftOut: ReadonlySet<string>;
}

async function* linesOf(
  parts: OperationParts,
  organisation: OrganisationId,
  { projects, leftOut }: Leaving,
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
  yield* usage(parts, organisation, leftOut);
  yield* billLines(parts, organisation);
  for (const { id } of projects) yield* receipts(parts, id as ProjectId);
  for (const { id } of projects) yield* contents(parts, id, may);
  yield* without(
    leftOut,
    paged("audit", (page) => rights.audit.list({ organisation }, page)),
  );
  yield* without(
    leftOut,
    paged("grants", (page) => rights.grants.list({ organisation }, page)),
  );
  yield* without(
    leftOut,
    paged("erasures", (page) => rights.erasures.list({ organisation }, page)),
  );
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

async function* usage(
  { store }: OperationParts,
  organisation: OrganisationId,
  leftOut: ReadonlySet<string>,
): AsyncGenerator<Line> {
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
    yield* rows(
      "usage",
      found.filter(({ project }) => !leftOut.has(project)),
    );
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

/** What is told of an organisation but for what is of its projects that are left out. */
async function* without(leftOut: ReadonlySet<string>, lines: AsyncIterable<Line>): AsyncGenerator<Line> {
  for await (const line of lines) {
    const { project } = line.row as { readonly project?: string | null };
    if (typeof project !== "string" || !leftOut.has(project)) yield line;
  }
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
