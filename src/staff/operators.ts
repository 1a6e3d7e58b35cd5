import { createHash } from "node:crypto";
import type { Kysely, Selectable } from "kysely";
import { type Clock, type Ids, isId, refuse, type Refusal, RefusalError, refusing } from "../base/index.ts";
import { checkJurisdiction } from "../policy/index.ts";
import { behind, type Database, type List, type OperatorTable, type Page, pageOf } from "../store/index.ts";

/** The one whose token lies in the data folder: whoever can read that folder could do all that it can. */
export const firstOperator = "operator";

export interface OperatorTold {
  readonly id: string;
  readonly name: string;
  readonly country: string | null;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly revokedAt: string | null;
}

export interface Operators {
  add(input: {
    readonly name: string;
    readonly country: string | null;
    readonly by: string;
  }): Promise<(OperatorTold & { readonly token: string }) | Refusal>;
  list(page: Page): Promise<List<OperatorTold>>;
  show(reference: string): Promise<OperatorTold | Refusal>;
  /** Holds from the next request on. Revoking a revoked one changes nothing. */
  revoke(reference: string): Promise<OperatorTold | Refusal>;
  /** Whose token this is; undefined: nobody's, or it was revoked. */
  find(token: string): Promise<OperatorTold | undefined>;
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export function createOperators(context: {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly randomBytes: (count: number) => Buffer;
}): Operators {
  const { db, clock, ids } = context;
  const found = async (reference: string) => {
    const row = await db
      .selectFrom("operators")
      .selectAll()
      .where(isId("opr", reference) ? "id" : "name", "=", reference as never)
      .executeTakeFirst();
    if (row !== undefined) return row;
    const message =
      reference === firstOperator
        ? "The first operator is the data folder's own: take away who can read that folder."
        : `There is no operator "${reference.slice(0, 200)}".`;
    throw new RefusalError(refuse("not_found", message, { param: "operator" }));
  };
  return {
    add: ({ name, country, by }) =>
      refusing(async () => {
        const token = `bwo_${context.randomBytes(32).toString("base64url")}`;
        const row = {
          id: ids.mint("opr"),
          name: nameOf(name),
          country: country === null ? null : countryOf(country),
          tokenHash: digest(token),
          createdAt: new Date(clock.nowMs()),
          createdBy: by,
          revokedAt: null,
        };
        const added = await db
          .insertInto("operators")
          .values(row)
          .onConflict((conflict) => conflict.column("name").doNothing())
          .executeTakeFirst();
        if (added.numInsertedOrUpdatedRows === 1n) return { ...told(row), token };
        const message = `The name "${name}" is, or was, an operator's, and stands in the audit log.`;
        throw new RefusalError(refuse("name_taken", message, { param: "name" }));
      }),
    async list(page) {
      const rows = await db
        .selectFrom("operators")
        .selectAll()
        .where("id", ">", behind("opr", page))
        .orderBy("id")
        .limit(page.limit + 1)
        .execute();
      return pageOf(rows, page, told);
    },
    show: (reference) => refusing(async () => told(await found(reference))),
    revoke: (reference) =>
      refusing(async () => {
        const row = await found(reference);
        if (row.revokedAt !== null) return told(row);
        const revokedAt = new Date(clock.nowMs());
        await db.updateTable("operators").set({ revokedAt }).where("id", "=", row.id).execute();
        return told({ ...row, revokedAt });
      }),
    async find(token) {
      // The digest is what is looked up, so that the time taken tells nothing about any token.
      const row = await db
        .selectFrom("operators")
        .selectAll()
        .where("tokenHash", "=", digest(token))
        .where("revokedAt", "is", null)
        .executeTakeFirst();
      return row && told(row);
    },
  };
}

function told(row: Selectable<OperatorTable>): OperatorTold {
  const { id, name, country, createdAt, createdBy, revokedAt } = row;
  return {
    id,
    name,
    country,
    createdAt: createdAt.toISOString(),
    createdBy,
    revokedAt: revokedAt?.toISOString() ?? null,
  };
}

function nameOf(name: string): string {
  if (namePattern.test(name) && name !== firstOperator && !/^[a-z]{2,4}_[0-9A-Z]{26}$/.test(name)) return name;
  const message =
    name === firstOperator
      ? `"${firstOperator}" is the one whose token lies in the data folder.`
      : "A name has 1 to 64 letters, digits, dots, underscores and hyphens, begins with a letter or digit, and is no id.";
  throw new RefusalError(refuse("invalid_request", message, { param: "name" }));
}

function countryOf(text: string): string {
  const checked = checkJurisdiction(text);
  if (checked.outcome === "known") return checked.code;
  throw new RefusalError(refuse("invalid_request", checked.message, { param: "country" }));
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
