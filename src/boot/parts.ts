import type { Alerts } from "../alerts/index.ts";
import type { Clock } from "../base/index.ts";
import type { BooksContext } from "../books/index.ts";
import type { Catalog } from "../catalog/index.ts";
import type { Settings } from "../config/index.ts";
import type { DataFolder } from "../installation/index.ts";
import type { SigningKeys } from "../receipt/index.ts";
import type { Reservations } from "../reservations/index.ts";
import type { Residency } from "../residency/index.ts";
import type { Sequencing } from "../sequencing/index.ts";
import type { Shipper } from "../shipping/index.ts";
import type { Cloud } from "../stages/index.ts";
import type { DatabaseConnection, Store } from "../store/index.ts";
import type { Tenancy } from "../tenancy/index.ts";
import type { JoinedHosts } from "./joined.ts";
import type { Reserved } from "./reserved.ts";
import type { Rights } from "./rights.ts";
import type { FollowedWallets } from "./wallets.ts";

/** What the control API's operations are joined from. */
export interface OperationParts {
  readonly version: string;
  readonly settings: Settings;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cloud: Cloud;
  readonly store: Store;
  readonly ledger: BooksContext;
  readonly wallets: FollowedWallets;
  readonly alerts: Alerts;
  readonly clock: Clock;
  readonly connection: DatabaseConnection;
  readonly tenancy: Tenancy;
  readonly reservations: Reservations;
  readonly reserved: Reserved;
  readonly residency: Residency;
  readonly rights: Rights;
  readonly joined: JoinedHosts;
  readonly catalog: Catalog;
  readonly shipper: Shipper;
  readonly sequencing: Sequencing;
  readonly signing: SigningKeys;
  readonly folder: DataFolder;
  readonly startedAtMs: number;
  readonly url: () => string;
  readonly isReady: () => boolean;
}
