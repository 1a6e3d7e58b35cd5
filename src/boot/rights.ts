import { type AuditLog, createAuditLog } from "../audit/index.ts";
import { type Ids, refuse, type Refusal } from "../base/index.ts";
import type { Contents } from "../contents/index.ts";
import type { DestinationList } from "../destinations/index.ts";
import { createExits, type Exits } from "../exits/index.ts";
import type { ControlIdentities, Operations } from "../gateway/index.ts";
import type { DataFolder } from "../installation/index.ts";
import { appendToLedger, createErasures, type Erasures, type LedgerEntry } from "../erasure/index.ts";
import type { Prefixes } from "../pool/index.ts";
import type { SigningKeys } from "../receipt/index.ts";
import type { InForce } from "../residency/index.ts";
import { createGrants, createOperators, firstOperator, type Grants, type Operators } from "../staff/index.ts";
import type { Shipper } from "../shipping/index.ts";
import type { Store } from "../store/index.ts";
import type { Directory, Tenancy } from "../tenancy/index.ts";
import { contentsIn } from "./contents.ts";
import type { Stops } from "./database.ts";
import { declaredSite } from "./declared-site.ts";
import { dataOwner } from "./explaining.ts";
import { ledgerOf, replayErasures } from "./erasure-ledger.ts";
import type { BootOptions } from "./options.ts";
import { leaseSeconds } from "./own-host.ts";
import { messageOf } from "./words.ts";

/** What operators and tenants may ask for beside the service itself. */
export interface Rights {
  readonly operators: Operators;
  readonly audit: AuditLog;
  readonly contents: Contents;
  readonly grants: Grants;
  readonly support: Operations["support"];
  readonly erasures: Erasures;
  readonly exits: Exits;
}

interface Books {
  readonly store: Store;
  readonly tenancy: Tenancy;
  readonly inForce: InForce;
  readonly directory: Directory;
  readonly shipper: Pick<Shipper, "caughtUp">;
  readonly signing: SigningKeys;
  readonly destinations: DestinationList;
  readonly prefixes: Prefixes;
}

export async function openRights(
  options: BootOptions,
  folder: DataFolder,
  books: Books,
  ids: Ids,
  stops: Stops,
): Promise<Rights> {
  const { clock, randomBytes } = options;
  const { store } = books;
  const { db } = store;
  const audit = createAuditLog({ db, clock });
  const operators = createOperators({ db, clock, ids, randomBytes });
  const grants = createGrants({ db, clock, ids, operators });
  const contents = await contentsIn(options, folder, { store, audit, ids }, stops);
  const support = { ...grants, refusalFor: supportRefusal(options, books, grants) };
  const erasures = await erasuresOver(options, folder, books, { audit, contents, ids }, stops);
  const erase = (organisation: string, by: string) =>
    erasures.erase({ organisation, project: null, reason: "exit", by }, exitWaitMs);
  const exits = createExits({ db, clock, ids, erase });
  return { operators, audit, contents, grants, support, erasures, exits };
}

/** How long whoever ends an exit waits for the erasure, which goes on without. */
const exitWaitMs = 50_000;
const shippedWaitMs = 10_000;
const resumeEveryMs = 30_000;

/** What is unfinished, of this process or of one before, is gone on with at once and then every so often. */
async function erasuresOver(
  options: BootOptions,
  folder: DataFolder,
  { store, directory, shipper, signing, destinations, prefixes }: Books,
  { audit, contents, ids }: { readonly audit: AuditLog; readonly contents: Contents; readonly ids: Ids },
  stops: Stops,
): Promise<Erasures> {
  const { clock, randomBytes, log } = options;
  const onFailure = (error: unknown, erasure: string): void =>
    log.error({ erasure, reason: messageOf(error) }, "an erasure waits, and is tried again");
  const stores = {
    db: store.db,
    contents,
    shipped: () => shipper.caughtUp(shippedWaitMs),
    onChange: () => directory.refresh(),
    forget: (project: string) => {
      prefixes.forget(project);
      return Promise.all(
        destinations.all.map(async (destination) => {
          const told = await destination.forget(project, leaseSeconds * 1_000);
          const { name, kind } = destination;
          return { destination: name, kind, outcome: told.outcome, running: "running" in told ? told.running : 0 };
        }),
      );
    },
    now: () => new Date(clock.nowMs()),
  };
  const { installation } = folder;
  const backups = async (): Promise<readonly string[]> => {
    const { items } = await audit.list({ action: "createBackup" }, { limit: 100, after: undefined });
    return items.filter(({ outcome }) => outcome === "done").map(({ at, changes }) => `${at} ${pathIn(changes)}`);
  };
  const ledger = ledgerOf(options, folder.path);
  const keepForRestores = (entry: LedgerEntry) => appendToLedger(ledger, entry);
  const told = { backups, keepForRestores, onFailure };
  const erasures = createErasures({ stores, clock, ids, randomBytes, signing, installation, ...told });
  await replayErasures(options, folder.path, erasures);
  let resuming: Promise<void> | undefined;
  const resume = (): void => {
    resuming ??= erasures
      .resume()
      .catch((error: unknown) => onFailure(error, "all"))
      .finally(() => (resuming = undefined));
  };
  resume();
  stops.push(clock.every(resumeEveryMs, resume), () => resuming);
  return erasures;
}

function pathIn({ path }: Record<string, [unknown, unknown]>): string {
  return typeof path?.[1] === "string" ? path[1] : "a path that is too long to be told";
}

/** A grant is one half of it; policy, which knows from where staff may look at what, is the other. */
function supportRefusal(
  { settings }: BootOptions,
  { tenancy, inForce }: Books,
  grants: Grants,
): Operations["support"]["refusalFor"] {
  const site = declaredSite(settings.site);
  const place = { kind: "site" as const, name: site.name, site };
  return async ({ name, country }, reference): Promise<Refusal | undefined> => {
    const project = await tenancy.showProject(reference);
    if ("outcome" in project) return project;
    const isGranted = await grants.holds(name, project.id);
    if (!isGranted) return refuse("grant_missing", "No grant that this tenant has approved holds for you now.");
    const staff = { name, from: country ?? undefined, isGranted };
    const question = { action: "support-access" as const, project: dataOwner(project), staff, model: "any model" };
    const decision = inForce.policy.decide(question, [place]);
    if (decision.outcome === "permitted") return undefined;
    const reasons = decision.rejected.map(({ explanation }) => explanation);
    return refuse("no_permitted_site", "Policy does not permit this look at the project's data.", { reasons });
  };
}

/** Whom the control API's secrets belong to. */
export function identitiesOf(folder: DataFolder, { operators }: Rights, directory: Directory): ControlIdentities {
  return {
    operatorToken: folder.operatorToken,
    operatorName: firstOperator,
    findOperator: (token) => operators.find(token),
    identify: (secret) => directory.identify(secret),
  };
}
