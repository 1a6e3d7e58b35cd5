import { createHash } from "node:crypto";
import { type Clock, createIds, refuse } from "../../base/index.ts";
import { paged } from "./fake-pages.ts";
import { instantOf } from "./fields.ts";
import type {
  AuditOperations,
  ContentOperations,
  ErasureOperations,
  ExitOperations,
  OperatorOperations,
  SupportOperations,
} from "./operations.ts";
import type { AuditEntry, Erasure, Exit, Grant, Operator } from "./rights-wire.ts";

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
        ((entry.outcome !== "asked" && entry.outcome !== "begun") ||
          !entries.some(({ request, number }) => request === entry.request && number > entry.number));
      return Promise.resolve(paged(entries.filter(isAsked).toReversed(), page));
    },
    all: (page) => Promise.resolve(paged(entries, page)),
  };
}

/** One stored request in memory, of nobody. */
export function createFakeContents(clock: Clock): ContentOperations {
  const at = instantOf(clock.nowMs());
  const listing = {
    request: "req_00000000000000000000000000",
    organisation: "org_00000000000000000000000000",
    project: "prj_00000000000000000000000000",
    at,
    until: at,
    dataClass: "public",
    model: "fake",
    endpoint: "chat.completions",
    hasSubject: false,
  };
  return {
    list: (_, page) => Promise.resolve(paged([listing], page)),
    show: (request) =>
      Promise.resolve(
        request === listing.request
          ? { ...listing, subject: null, complete: true, input: Buffer.from("{}"), output: Buffer.from("{}") }
          : undefined,
      ),
  };
}

/** Grants in memory; each is what lets an operator look. */
export function createFakeSupport(clock: Clock): SupportOperations {
  const ids = createIds(clock);
  const made: Grant[] = [];
  const changed = (id: string, change: Partial<Grant>) => {
    const found = made.find((each) => each.id === id);
    return Promise.resolve(found === undefined ? refuse("not_found", "There is none.") : Object.assign(found, change));
  };
  const now = (): string => instantOf(clock.nowMs());
  return {
    ask: ({ by, ...rest }) => {
      const none = { approvedAt: null, approvedBy: null, until: null, endedAt: null, endedBy: null };
      made.push({ id: ids.mint("grt"), ...rest, askedAt: now(), askedBy: by, ...none, state: "asked" });
      return Promise.resolve(made.at(-1)!);
    },
    list: (_, page) => Promise.resolve(paged(made, page)),
    approve: (id, _, by) => changed(id, { approvedAt: now(), approvedBy: by, until: now(), state: "active" }),
    end: (id, _, by) => changed(id, { endedAt: now(), endedBy: by, state: "ended" }),
    refusalFor: ({ name }) =>
      Promise.resolve(
        made.some(({ operator, state }) => operator === name && state === "active")
          ? undefined
          : refuse("grant_missing", "No grant holds."),
      ),
  };
}

/** Erasures that are over at once, and erase nothing. */
export function createFakeErasures(clock: Clock): ErasureOperations {
  const ids = createIds(clock);
  const made: Erasure[] = [];
  return {
    erase: ({ request, subject, by, ...rest }) => {
      const whole = rest.project === null ? "organisation" : "project";
      const kind = request !== undefined ? "request" : subject !== undefined ? "subject" : whole;
      const at = instantOf(clock.nowMs());
      const over = { state: "done" as const, steps: [], finishedAt: at, blinding: "00", statement: "{}\n" };
      made.push({ id: ids.mint("ers"), kind, ...rest, askedAt: at, askedBy: by, ...over });
      return Promise.resolve(made.at(-1)!);
    },
    list: (_, page) => Promise.resolve(paged(made, page)),
    show: (id) => Promise.resolve(made.find((each) => each.id === id) ?? refuse("not_found", "There is none.")),
  };
}

/** Exits without days. */
export function createFakeExits(clock: Clock): ExitOperations {
  const ids = createIds(clock);
  const made: Exit[] = [];
  return {
    begin: ({ organisation, by }) => {
      const at = instantOf(clock.nowMs());
      const dates = { noticedAt: at, noticeUntil: at, transitionUntil: at, retrievalUntil: at };
      const open = { fee: "none" as const, state: "due" as const, finishedAt: null, erasure: null };
      made.push({ id: ids.mint("ext"), organisation, ...dates, askedBy: by, ...open });
      return Promise.resolve(made.at(-1)!);
    },
    list: (_, page) => Promise.resolve(paged(made, page)),
    finish: (id) => Promise.resolve(made.find((each) => each.id === id) ?? refuse("not_found", "There is none.")),
  };
}
