import { createHash } from "node:crypto";
import { createIds, type Clock, formatAmount, isId, parseAmount, refuse, type Refusal } from "../../base/index.ts";
import type { Catalog } from "../../catalog/index.ts";
import { createFakeBooks } from "./fake-books.ts";
import { createFakeLog } from "./fake-log.ts";
import { fakeFault, fakePool } from "./fake-pool.ts";
import { paged } from "./fake-pages.ts";
import { createFakeReports } from "./fake-reports.ts";
import { createFakeHosts } from "./fake-hosts.ts";
import { createFakeReservations } from "./fake-reservations.ts";
import {
  createFakeAudit,
  createFakeContents,
  createFakeErasures,
  createFakeExits,
  createFakeOperators,
  createFakeSupport,
} from "./fake-rights.ts";
import { createFakeResidency } from "./fake-residency.ts";
import { createFakeWallets } from "./fake-wallets.ts";
import { instantOf } from "./fields.ts";
import type { LimitChanges, Operations, ProjectRules, TenancyOperations } from "./operations.ts";
import type { Key, Organisation, Project, RecordedRefusal, UsageRow } from "./wire.ts";

/** Operations in memory: for tests of the control API and of the command line, which need no database for theirs. */
export interface FakeOperations extends Operations {
  readonly usageRows: UsageRow[];
  readonly refusals: RecordedRefusal[];
  /** Whether shipping keeps up. */
  shipped: boolean;
}

export function createFakeOperations(clock: Clock, catalog: Catalog): FakeOperations {
  const usageRows: UsageRow[] = [];
  const refusals: RecordedRefusal[] = [];
  const tenancy = createFakeTenancy(clock);
  const fake: FakeOperations = {
    tenancy,
    reservations: createFakeReservations(clock, tenancy),
    hosts: createFakeHosts(clock),
    residency: createFakeResidency(clock),
    books: createFakeBooks(clock),
    wallets: createFakeWallets(clock),
    alerts: { list: (page) => Promise.resolve(paged([], page)) },
    catalog,
    usageRows,
    refusals,
    shipped: true,
    usage: {
      shippedUpTo: () => Promise.resolve(fake.shipped),
      report: (filter, page) =>
        Promise.resolve(
          paged(
            usageRows.filter((row) => !filter.model || row.model === filter.model),
            page,
          ),
        ),
      refusals: (page) => Promise.resolve(paged(refusals, page)),
    },
    cloud: fakeCloud(clock),
    log: createFakeLog(() => instantOf(clock.nowMs())),
    reports: createFakeReports(),
    operators: createFakeOperators(clock),
    audit: createFakeAudit(clock),
    contents: createFakeContents(clock),
    support: createFakeSupport(clock),
    erasures: createFakeErasures(clock),
    exports: {
      organisation: (organisation) =>
        Promise.resolve({ lines: [{ part: "organisation", row: { id: organisation } }] as never }),
    },
    exits: createFakeExits(clock),
  };
  return fake;
}

function fakeCloud(clock: Clock): Operations["cloud"] {
  const site = { name: "here", jurisdiction: "DE" };
  return {
    status: () =>
      Promise.resolve({
        version: "0.0.0",
        installation: "inst_00000000000000000000000000",
        gateway: "gw_00000000000000000000000000",
        url: "http://127.0.0.1:8080",
        startedAt: instantOf(clock.nowMs()),
        ready: true,
        draining: false,
        site,
        requestsInFlight: 0,
        database: { kind: "embedded", reachable: true },
        journal: { state: "open", unshippedRecords: 0 },
        destinations: { ready: 1, all: 1 },
        log: { state: "open", reason: null, next: null, size: 7 },
      }),
    destinations: () => [
      {
        name: "cpu",
        kind: "host",
        site,
        engine: { name: "fake", build: "fake 1" },
        ready: true,
        reason: null,
        running: 0,
        models: [{ name: "fake", sha256: null, contextTokens: 4096, endpoints: ["chat.completions"] }],
        faults: [fakeFault],
      },
    ],
    pool: () => fakePool(instantOf(clock.nowMs())),
    priceOf: () => ({
      version: "default-1",
      currency: "EUR",
      inputPerMillion: "0.1",
      cachedInputPerMillion: "0.02",
      outputPerMillion: "0.4",
      reasoningPerMillion: "0.4",
    }),
    explain: ({ project, model, action = "infer", dataClass = "public" }) =>
      Promise.resolve({
        project: { id: "prj_00000000000000000000000000", name: project },
        model: model ?? null,
        action,
        dataClass,
        processing: [],
        regimes: ["open"],
        outcome: "permitted",
        candidates: [
          {
            kind: "host",
            destination: "cpu",
            site,
            permitted: true,
            ready: true,
            reason: "the data class is public",
            deciding: [{ policy: "base.processing-public", effect: "permit", article: "none: it is public" }],
          },
        ],
        policyDigest: null,
      }),
    network: () => Promise.resolve({ airGapped: true, connections: [] }),
    backup: (path) => Promise.resolve({ path: path ?? "/backups/1", sizeBytes: 1, takenAt: instantOf(clock.nowMs()) }),
  };
}

type Named = { readonly id: string; readonly name: string };

function createFakeTenancy(clock: Clock): TenancyOperations {
  const ids = createIds(clock);
  const organisations: Organisation[] = [];
  const projects: Project[] = [];
  const keys: Key[] = [];
  const at = (): string => instantOf(clock.nowMs());
  const change = <Item extends Named>(items: Item[], reference: string, edit: (item: Item) => Item): Item | Refusal => {
    const found = find(items, reference);
    if ("outcome" in found) return found;
    const changed = edit(found);
    items[items.indexOf(found)] = changed;
    return changed;
  };
  const secret = (): string => `bw_${createHash("sha256").update(String(keys.length)).digest("base64url")}`;
  return {
    listOrganisations: (page) => Promise.resolve(paged(organisations, page)),
    showOrganisation: (reference) => Promise.resolve(find(organisations, reference)),
    createOrganisation: ({ name, prepaid = false, limits }) => {
      if (organisations.some((other) => other.name === name)) {
        return Promise.resolve(refuse("name_taken", `There is an organisation ${name} already.`, { param: "name" }));
      }
      const made = { id: ids.mint("org"), name, prepaid, createdAt: at(), limits: limited(undefined, limits) };
      organisations.push(made);
      return Promise.resolve(made);
    },
    updateOrganisation: (reference, { name, prepaid, limits }) =>
      Promise.resolve(
        change(organisations, reference, (item) => ({
          ...item,
          prepaid: prepaid ?? item.prepaid,
          name: name ?? item.name,
          limits: limited(item.limits, limits),
        })),
      ),
    listProjects: (_, page) => Promise.resolve(paged(projects, page)),
    showProject: (reference) => Promise.resolve(find(projects, reference)),
    createProject: ({ organisation, name, limits, ...rules }) => {
      const parent = find(organisations, organisation);
      if ("outcome" in parent) return Promise.resolve(parent);
      const made: Project = {
        id: ids.mint("prj"),
        name,
        organisation: named(parent),
        ...ruled(firstRules, rules),
        digestKey: "dk_1",
        createdAt: at(),
        limits: limited(undefined, limits),
      };
      projects.push(made);
      return Promise.resolve(made);
    },
    updateProject: (reference, { name, limits, ...rules }) =>
      Promise.resolve(
        change(projects, reference, (item) => ({
          ...item,
          name: name ?? item.name,
          ...ruled(item, rules),
          limits: limited(item.limits, limits),
        })),
      ),
    eraseDigestKey: (reference) => {
      const project = change(projects, reference, (item) => ({ ...item, digestKey: `${item.digestKey}+` }));
      if ("outcome" in project) return Promise.resolve(project);
      return Promise.resolve({ project, erased: project.digestKey.slice(0, -1) });
    },
    listKeys: (_, page) => Promise.resolve(paged(keys, page)),
    showKey: (reference) => Promise.resolve(find(keys, reference)),
    createKey: ({ project, name, limits, permissions = ["use"], reach = "project" }) => {
      const parent = find(projects, project);
      if ("outcome" in parent) return Promise.resolve(parent);
      const made = {
        id: ids.mint("key"),
        name: name ?? `key-${keys.length + 1}`,
        project: named(parent),
        organisation: parent.organisation,
        createdAt: at(),
        revokedAt: null,
        permissions: [...permissions],
        reach,
        limits: limited(undefined, limits),
        key: secret(),
      };
      // The secret stays in the record here, so that the tests see that the schema keeps it back.
      keys.push(made);
      return Promise.resolve(made);
    },
    updateKey: (reference, { name, limits }) =>
      Promise.resolve(
        change(keys, reference, (item) => ({
          ...item,
          name: name ?? item.name,
          limits: limited(item.limits, limits),
        })),
      ),
    revokeKey: (reference) =>
      Promise.resolve(change(keys, reference, (item) => ({ ...item, revokedAt: item.revokedAt ?? at() }))),
  };
}

type Rules = Omit<Project, "id" | "name" | "organisation" | "digestKey" | "createdAt" | "limits">;

const firstRules: Rules = {
  dataClass: "personal",
  processing: [],
  storage: null,
  regimes: null,
  country: null,
  exported: null,
  unsupported: "refuse",
  tier: "standard",
  weight: 1,
  keepContentSeconds: null,
};

/** What was said, and what was there where nothing was. */
function ruled(before: Rules, rules: ProjectRules): Rules {
  return {
    ...before,
    ...(Object.fromEntries(Object.entries(rules).filter(([, value]) => value !== undefined)) as object),
  };
}

function named({ id, name }: Named): Named {
  return { id, name };
}

function find<Item extends Named>(items: readonly Item[], reference: string): Item | Refusal {
  const name = reference.split("/").at(-1);
  const found = items.find((item) =>
    isId("key", reference) ? item.id === reference : item.name === name || item.id === reference,
  );
  return found ?? refuse("not_found", `There is nothing named ${reference.slice(0, 200)}.`);
}

function limited(before: Key["limits"] | undefined, changes: LimitChanges): Key["limits"] {
  const none = { models: null, requestsPerMinute: null, tokensPerMinute: null, monthlyBudget: null, expiresAt: null };
  const budget = changes.monthlyBudget;
  return {
    ...none,
    ...before,
    ...Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)),
    ...(typeof budget === "string" ? { monthlyBudget: formatAmount(parseAmount(budget) ?? 0n) } : {}),
  };
}
