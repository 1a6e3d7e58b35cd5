import type { Kysely, Transaction } from "kysely";
import { type Clock, refuse, type Refusal, RefusalError, refusing } from "../base/index.ts";
import {
  type Candidate,
  contradictions,
  type Facts,
  factsDigest,
  noFacts,
  type PolicyFile,
  shippedFiles,
  standing,
} from "../policy/index.ts";
import type { Database, DocumentKind, List, Page } from "../store/index.ts";
import { applyVersion } from "./applying.ts";
import { refuseDroppedClasses } from "./classes-in-use.ts";
import {
  checkedFacts,
  checkedPolicies,
  inFile,
  noPolicies,
  type Policies,
  policiesDigest,
  type PoliciesInput,
} from "./documents.ts";
import type { InForce } from "./in-force.ts";
import { findVersion, type Version } from "./versions.ts";

export interface ResidencyContext {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly inForce: Pick<InForce, "policy" | "facts" | "refresh">;
  /** Everywhere that requests can run, as the settings have it. */
  readonly candidates: () => readonly Candidate[];
  /** A change that was committed could not be read at once; it stands all the same. */
  readonly onFailure: (error: unknown) => void;
}

/** Which version of a document this is, and where it comes from. */
export interface VersionTold {
  /** 0: none was ever applied, and what is shipped holds. */
  readonly version: number;
  readonly sha256: string;
  readonly by: string | null;
  readonly at: string | null;
  readonly note: string | null;
}

type Written = Record<string, unknown>;

export interface FactsKept extends VersionTold {
  /** As it was applied. */
  readonly document: Written;
  readonly warnings: string[];
}

export interface PoliciesKept extends VersionTold {
  /** The operator's own. */
  readonly files: PolicyFile[];
  readonly document: Written;
  /** Those of this release; a file of the operator's stands in the place of one of its name. */
  readonly shipped: (PolicyFile & { readonly isReplaced: boolean })[];
  readonly warnings: string[];
}

/** A change that stands on a version: refused where another has been applied since. */
interface Change {
  readonly basedOn: number;
  readonly note?: string | undefined;
  /** Who changes it, by name. */
  readonly by?: string;
  readonly document: Written;
}

export type Residency = ReturnType<typeof createResidency>;

/** Documents over the store: shown, changed, and their history. */
export function createResidency(context: ResidencyContext) {
  const { db, clock, inForce } = context;
  const apply = async (kind: DocumentKind, input: Change, body: object, sha256: string, compiled?: Policies) => {
    const { basedOn, note, by = "operator" } = input;
    const check =
      compiled && ((transaction: Transaction<Database>) => refuseDroppedClasses(transaction, compiled.document));
    const wanted = { kind, body: JSON.stringify(body), sha256, basedOn, note, author: by, ...(check && { check }) };
    const applied = await applyVersion(db, clock, wanted);
    await inForce.refresh(compiled && { ...compiled, sha256 }).catch(context.onFailure);
    return applied;
  };
  const doubtsAbout = (facts: Facts): string[] => {
    const now = standing(facts, clock.nowMs());
    return [...new Set(context.candidates().flatMap((candidate) => contradictions(candidate, now)))];
  };
  return {
    showFacts: (version?: number): Promise<FactsKept | Refusal> =>
      refusing(async () => {
        const found = await shown(db, "facts", version);
        const document = found === undefined ? {} : (JSON.parse(found.body) as Written);
        const warnings = version === undefined ? doubtsAbout(inForce.facts) : [];
        return { ...told(found, factsDigest(noFacts)), document, warnings };
      }),
    putFacts: (input: Change): Promise<FactsKept | Refusal> =>
      refusing(async () => {
        const { document } = input;
        const { facts, sha256 } = checkedFacts(document);
        return {
          ...told(await apply("facts", input, document, sha256), sha256),
          document,
          warnings: doubtsAbout(facts),
        };
      }),
    showPolicies: (version?: number): Promise<PoliciesKept | Refusal> =>
      refusing(async () => {
        const found = await shown(db, "policies", version);
        const input = found === undefined ? noPolicies : (JSON.parse(found.body) as PoliciesInput);
        const warnings = version === undefined ? inForce.policy.policies.warnings.map(inFile) : [];
        return { ...told(found, policiesDigest(noPolicies)), ...partsOf(input), warnings };
      }),
    putPolicies: (input: Change & { readonly files: readonly PolicyFile[] }): Promise<PoliciesKept | Refusal> =>
      refusing(async () => {
        const { files, document } = input;
        const compiled = await checkedPolicies({ files, document });
        const sha256 = policiesDigest({ files, document });
        const applied = await apply("policies", input, { files, document }, sha256, compiled);
        const warnings = compiled.policies.warnings.map(inFile);
        return { ...told(applied, sha256), ...partsOf({ files, document }), warnings };
      }),
    history: (kind: DocumentKind, page: Page): Promise<List<VersionTold>> => historyOf(db, kind, page),
  };
}

async function shown(db: Kysely<Database>, kind: DocumentKind, version: number | undefined) {
  const found = await findVersion(db, kind, version);
  if (found !== undefined || version === undefined) return found;
  throw new RefusalError(refuse("not_found", `There is no version ${version} of the ${kind}.`, { param: "version" }));
}

export function told(version: Omit<Version, "body"> | undefined, sha256: string): VersionTold {
  if (version === undefined) return { version: 0, sha256, by: null, at: null, note: null };
  const { author, createdAt, note } = version;
  return { version: version.version, sha256: version.sha256, by: author, at: createdAt.toISOString(), note };
}

function partsOf({ files, document }: PoliciesInput) {
  const own = new Set(files.map(({ name }) => name));
  const shipped = shippedFiles.map((file) => ({ ...file, isReplaced: own.has(file.name) }));
  return { files: [...files], document: document as Written, shipped };
}

/** The newest first; `next` is the number of the last one shown. */
export async function historyOf(db: Kysely<Database>, kind: DocumentKind, page: Page): Promise<List<VersionTold>> {
  if (page.after !== undefined && !/^\d{1,15}$/.test(page.after)) {
    throw new RefusalError(refuse("invalid_request", "This is not the `next` of a list.", { param: "after" }));
  }
  const rows = await db
    .selectFrom("documents")
    .select(["version", "sha256", "author", "createdAt", "note"])
    .where("kind", "=", kind)
    .$if(page.after !== undefined, (query) => query.where("version", "<", page.after!))
    .orderBy("version", "desc")
    .limit(page.limit + 1)
    .execute();
  const items = rows.slice(0, page.limit).map((row) => told({ ...row, version: Number(row.version) }, row.sha256));
  return { items, next: rows.length > page.limit ? String(items.at(-1)?.version) : null };
}
