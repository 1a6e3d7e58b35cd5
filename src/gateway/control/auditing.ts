import { createHash } from "node:crypto";
import { type CanonicalValue, canonicalJson, type Refusal } from "../../base/index.ts";
import type { Asker } from "./access.ts";
import type { AuditFact, AuditOperations, TenancyOperations } from "./operations.ts";
import type { Lines, Route } from "./route.ts";

/** What is recorded of one call. */
export interface AuditedCall {
  readonly request: string;
  readonly asker: Asker;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/** Records a call around its work: that it was asked for, before anything is changed, and how it ended. */
export type Audited = (route: Route, call: AuditedCall, work: () => Promise<unknown>) => Promise<unknown>;

type Members = Readonly<Record<string, unknown>>;

/** Whose things a call is about, and what it would change. */
interface Concerned {
  readonly organisation: string | null;
  readonly project: string | null;
  readonly object: string | null;
  /** What was there before. */
  readonly before: Members | undefined;
}

const noOne: Concerned = { organisation: null, project: null, object: null, before: undefined };

/**
 * What cannot be recorded is not done: the first entry is durable before the work begins. One that could not be written
 * afterwards leaves that first one, which says that the outcome is not known.
 */
export function createAudited(
  audit: AuditOperations,
  tenancy: TenancyOperations,
  onFailure: (error: unknown, request: string) => void,
): Audited {
  return async (route, call, work) => {
    const { request, asker } = call;
    if (asker.kind === "anybody") throw new Error(`${route.name} is recorded, and nobody in particular asks`);
    const concerned = await concernedBy(route, call, tenancy);
    const { before, ...whose } = concerned;
    const fact = { request, actor: { kind: asker.kind, name: asker.name }, action: route.name, ...whose };
    await audit.append({ ...fact, outcome: "asked", code: null, changes: route.hidesBody ? {} : digestOf(call.body) });
    const ended = async (more: Pick<AuditFact, "outcome" | "code" | "changes">): Promise<void> => {
      await audit.append({ ...fact, ...more }).catch((error: unknown) => onFailure(error, request));
    };
    let outcome: unknown;
    try {
      outcome = await work();
    } catch (error) {
      await ended({ outcome: "failed", code: null, changes: {} });
      throw error;
    }
    if (isRefusal(outcome)) await ended({ outcome: "refused", code: outcome.code, changes: {} });
    else if (route.streams) {
      await audit.append({ ...fact, outcome: "begun", code: null, changes: {} });
      const onEnd = (isWhole: boolean) => ended({ outcome: isWhole ? "done" : "broken", code: null, changes: {} });
      return { ...(outcome as Lines), onEnd } satisfies Lines;
    } else {
      const after = outcome as Members;
      Object.assign(fact, made(after, whose));
      await ended({
        outcome: "done",
        code: null,
        changes: route.method === "GET" ? {} : changesOf(before, after),
      });
    }
    return outcome;
  };
}

/** By what its path and its body name; a name that names nothing concerns nobody. */
async function concernedBy(
  route: Route,
  { params, query, body, asker }: AuditedCall,
  tenancy: TenancyOperations,
): Promise<Concerned> {
  const named = {
    ...(query as Members | undefined),
    ...(body as Members | undefined),
    ...(params as Members | undefined),
  };
  const object = Object.values((params ?? {}) as Members)[0];
  const own = asker.kind === "key" ? { organisation: asker.organisation, project: asker.project } : {};
  const about = { ...noOne, ...own, object: typeof object === "string" ? namedIn(object) : null };
  for (const [level, show] of [
    ["key", (text: string) => tenancy.showKey(text)],
    ["project", (text: string) => tenancy.showProject(text)],
    ["organisation", (text: string) => tenancy.showOrganisation(text)],
  ] as const) {
    const reference = named[level];
    if (typeof reference !== "string") continue;
    const row = await show(reference);
    // What another tenant's key tries is that tenant's, and stands in nobody else's log.
    if ("outcome" in row || (asker.kind === "key" && tenantOf(row).organisation !== asker.organisation)) return about;
    const isItself = (params as Members | undefined)?.[level] === reference;
    const before = isItself && route.method === "PATCH" ? { ...row } : undefined;
    return { ...about, ...tenantOf(row), object: isItself ? row.id : about.object, before };
  }
  return about;
}

/** What was made has an id, and belongs to somebody. */
function made(after: Members, whose: Omit<Concerned, "before">): Omit<Concerned, "before"> {
  const { organisation, project } = tenantOf(after);
  const id = typeof after["id"] === "string" ? after["id"] : null;
  return {
    organisation: whose.organisation ?? organisation,
    project: whose.project ?? project,
    object: whose.object ?? id,
  };
}

function tenantOf(row: object): { readonly organisation: string | null; readonly project: string | null } {
  const { id, organisation, project } = row as { id?: unknown; organisation?: unknown; project?: unknown };
  const own = typeof id === "string" ? id : "";
  return {
    organisation: own.startsWith("org_") ? own : idOf(organisation),
    project: own.startsWith("prj_") ? own : idOf(project),
  };
}

function idOf(value: unknown): string | null {
  const id = typeof value === "string" ? value : (value as { id?: unknown } | null | undefined)?.id;
  return typeof id === "string" && /^(org|prj)_/.test(id) ? id : null;
}

/** Longer ones are told by their digest. */
const valueCharactersMax = 300;
const membersMax = 40;
/** Every secret of ours begins so. */
const secret = /\bbw[a-z]?_[A-Za-z0-9_-]{20,}/;

/** What a path names is whatever somebody put there: also a key, in place of its name. */
function namedIn(path: string): string {
  return secret.test(path) ? "(a secret)" : path.slice(0, 200);
}

/** What is no part of what was changed, is for its reader only, or names a person, whom an erasure could not take out of the log. */
const untold = new Set(["warnings", "items", "blinding", "party"]);

/** Member by member, what is another than it was. */
function changesOf(before: Members | undefined, after: Members): AuditFact["changes"] {
  const names = Object.keys(after).filter((name) => !untold.has(name));
  const changed = names
    .map((name) => [name, textOf(before?.[name]), textOf(after[name])] as const)
    .filter(([, was, is]) => was !== is)
    .slice(0, membersMax);
  return Object.fromEntries(changed.map(([name, was, is]) => [name, [told(was), told(is)]]));
}

function digestOf(body: unknown): AuditFact["changes"] {
  if (typeof body !== "object" || body === null || Object.keys(body).length === 0) return {};
  return { body: [null, { sha256: sha256(textOf(body)) }] };
}

function textOf(value: unknown): string {
  return JSON.stringify(value ?? null);
}

/** Never a secret, and numbers as texts: canonical JSON has no fractions. */
function told(text: string): CanonicalValue {
  if (secret.test(text)) return "(a secret)";
  if (text.length > valueCharactersMax) return { sha256: sha256(text), bytes: Buffer.byteLength(text) };
  const value = JSON.parse(text) as CanonicalValue;
  try {
    canonicalJson(value);
    return value;
  } catch {
    // A fraction, which its text tells as well.
    return text;
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function isRefusal(outcome: unknown): outcome is Refusal {
  return typeof outcome === "object" && outcome !== null && (outcome as Partial<Refusal>).outcome === "refused";
}
