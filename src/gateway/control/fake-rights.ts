import { createHash } from "node:crypto";
import { type Clock, createIds, refuse } from "../../base/index.ts";
import { paged } from "./fake-pages.ts";
import { instantOf } from "./fields.ts";
import type { AuditOperations, OperatorOperations } from "./operations.ts";
import type { AuditEntry, Operator } from "./rights-wire.ts";

/** Named operators in memory; a token is the digest of a name. */
export function createFakeOperators(clock: Clock): OperatorOperations {
  const ids = createIds(clock);
  const operators: Operator[] = [];
  const tokenOf = (name: string): string => `bwo_${createHash("sha256").update(name).digest("base64url")}`;
  return {
    list: (page) => Promise.resolve(paged(operators, page)),
    add: ({ name, country, by }) => {
      if (operators.some((other) => other.name === name)) {
        return Promise.resolve(refuse("name_taken", `There was an operator ${name} already.`, { param: "name" }));
      }
      const createdAt = instantOf(clock.nowMs());
      operators.push({ id: ids.mint("opr"), name, country, createdAt, createdBy: by, revokedAt: null });
      return Promise.resolve({ ...operators.at(-1)!, token: tokenOf(name) });
    },
    revoke: (reference) => {
      const found = operators.find(({ id, name }) => id === reference || name === reference);
      if (found === undefined) return Promise.resolve(refuse("not_found", `There is no operator ${reference}.`));
      found.revokedAt ??= instantOf(clock.nowMs());
      return Promise.resolve(found);
    },
    find: (token) => {
      const found = operators.find(({ name, revokedAt }) => revokedAt === null && tokenOf(name) === token);
      return Promise.resolve(found && { name: found.name, country: found.country });
    },
  };
}

/** The audit log in memory, without its hashes. */
export function createFakeAudit(clock: Clock): AuditOperations & { readonly entries: AuditEntry[] } {
  const entries: AuditEntry[] = [];
  const none = "0".repeat(64);
  return {
    entries,
    append: (fact) => {
      const number = entries.length + 1;
      entries.push({ v: 1, number, at: instantOf(clock.nowMs()), previous: none, hash: none, ...fact });
      return Promise.resolve();
    },
    list: (filter, page) => {
      const members = ["organisation", "project", "action"] as const;
      const isAsked = (entry: AuditEntry): boolean =>
        members.every((member) => filter[member] === undefined || entry[member] === filter[member]) &&
        (filter.actor === undefined || entry.actor.name === filter.actor) &&
        (entry.outcome !== "asked" ||
          !entries.some(({ request, outcome }) => request === entry.request && outcome !== "asked"));
      return Promise.resolve(paged(entries.filter(isAsked).toReversed(), page));
    },
    all: (page) => Promise.resolve(paged(entries, page)),
  };
}
