import { join } from "node:path";
import type { Ids } from "../base/index.ts";
import type { DataFolder } from "../installation/index.ts";
import { folderDisk, type Journal, openJournal } from "../journal/index.ts";
import type { BooksContext } from "../books/index.ts";
import { Budgets, Wallets } from "../ledger/index.ts";
import { openSigningKeys } from "../receipt/index.ts";
import type { Sequencing } from "../sequencing/index.ts";
import { createShipper, type Shipper } from "../shipping/index.ts";
import { type DatabaseConnection, readWatermark, type Store } from "../store/index.ts";
import type { InForce } from "../residency/index.ts";
import { createDirectory, createTenancy, type Directory, type Tenancy } from "../tenancy/index.ts";
import { seedBudgets, writeShipment } from "./books.ts";
import { retentionOf } from "./contents.ts";
import { openDatabase, type Stops } from "./database.ts";
import type { BootOptions } from "./options.ts";
import { openLedger } from "./ledger.ts";
import { openInForce } from "./residency.ts";
import { openTransparency } from "./transparency.ts";
import { type FollowedWallets, followWallets } from "./wallets.ts";
import { messageOf } from "./words.ts";

/** What is known of earlier runs, and where this one's requests are written down. */
export interface Bookkeeping {
  readonly store: Store;
  readonly connection: DatabaseConnection;
  readonly signing: ReturnType<typeof openSigningKeys>;
  readonly journal: Journal;
  readonly shipper: Shipper;
  readonly sequencing: Sequencing;
  readonly directory: Directory;
  readonly inForce: InForce;
  readonly tenancy: Tenancy;
  readonly budgets: Budgets;
  readonly wallets: FollowedWallets;
  readonly ledger: BooksContext;
}

/** Brings up the database, the journal on it, and what is kept in memory of both. */
export async function openBookkeeping(
  options: BootOptions,
  folder: DataFolder,
  ids: Ids,
  stops: Stops,
): Promise<Bookkeeping> {
  const { settings, clock, log } = options;
  const { store, connection } = await openDatabase(options, folder, stops);
  const signing = openSigningKeys(join(folder.path, "signing-keys"), clock.nowMs());
  const watermark = await readWatermark(store.db, folder.gateway);
  const ledger = await openLedger(options, store, ids, stops);
  const journal = await openJournal({
    disk: await folderDisk(join(folder.path, "journal")),
    clock,
    installation: folder.installation,
    gateway: folder.gateway,
    segmentBytes: settings.journal.segmentBytes,
    seal: (payloads) => signing.seal(payloads),
    followers: ["shipping", "log"],
    ...(watermark === undefined ? {} : { firstSegment: watermark.segment + 1 }),
  });
  stops.push(() => journal.close());
  // Before anything is shipped: what is shipped leaves the journal.
  const budgets = new Budgets(clock, ledger.prices.currency);
  const wallets = new Wallets(() => ledger.prices.currency);
  await seedBudgets({ budgets, wallets }, store, journal, folder.gateway, clock.nowMs());
  const shipper = createShipper({
    journal,
    clock,
    from: watermark,
    waitingMax: settings.journal.unshippedRecords,
    write: (shipment) => writeShipment(store, folder.gateway, signing, shipment, ledger),
    onFailure: (error, retryInMs) => log.warn({ retryInMs, reason: messageOf(error) }, "usage waits for the database"),
  });
  stops.push(() => shipper.close());
  const sequencing = await openTransparency(options, folder, journal, signing, stops);
  const directory = await createDirectory({
    db: store.db,
    clock,
    whenAway: settings.database.whenAway,
    onFailure: (error) => log.warn({ reason: messageOf(error) }, "keys cannot be confirmed with the database"),
  });
  stops.push(() => directory.close());
  const inForce = await openInForce(options, store, stops);
  const tenancy = createTenancy({
    db: store.db,
    clock,
    ids,
    randomBytes: options.randomBytes,
    known: () => ({
      groups: inForce.facts.jurisdictions.groups,
      regimes: inForce.policy.policies.regimes,
      document: inForce.document,
      retention: retentionOf(settings),
    }),
    onChange: () => directory.refresh(),
    onFailure: (error) => log.warn({ reason: messageOf(error) }, "a change will be seen at the next confirmation"),
  });
  const followed = await followWallets(wallets, { ...options, store, ledger, gateway: folder.gateway }, stops);
  return {
    store,
    connection,
    signing,
    journal,
    shipper,
    sequencing,
    directory,
    inForce,
    tenancy,
    budgets,
    wallets: followed,
    ledger,
  };
}
