import type { Tuning } from "../../src/pool/index.ts";
import type { Figures } from "../../src/sim/index.ts";
import type { SwitchCost } from "./switch-costs.ts";
import type { Extent, WorkloadSpec } from "./workloads.ts";

/** The shares of requests, met strictly, at which accelerators are counted. */
export const attainments = [0.9, 0.99] as const;

/** What is asked of a pool, whoever decides. */
export interface Setting {
  readonly workload: WorkloadSpec;
  /** The sizes that the workload's models have in turn. */
  readonly shapes: string;
  readonly objective: string;
  readonly switchCost: SwitchCost;
}

interface Common {
  /** Where it belongs in the report and whose it is: `--only` looks for its pattern here. */
  readonly name: string;
  readonly setting: Setting;
  readonly extent: Extent;
}

/** One cell's worth of work. Rows know nothing of each other, so that threads can share them and a cache keep them. */
export type Row =
  | (Common & {
      readonly kind: "capacity";
      readonly device: string;
      readonly policy: string;
      readonly tuning?: Partial<Tuning>;
      readonly devicesMax: number;
    })
  | (Common & { readonly kind: "bound"; readonly device: string })
  | (Common & {
      readonly kind: "share";
      readonly fleet: string;
      readonly policy: string;
      readonly tuning?: Partial<Tuning>;
      /** The one way to set the policy up; absent: the best of all. */
      readonly variant?: string;
      /** A factor on the workload's rate. */
      readonly load: number;
    });

export type CapacityRow = Extract<Row, { readonly kind: "capacity" }>;
export type BoundRow = Extract<Row, { readonly kind: "bound" }>;
export type ShareRow = Extract<Row, { readonly kind: "share" }>;

/** What one tenant asked for and had, all seeds together. */
export interface TenantCount {
  readonly tenant: string;
  readonly requests: number;
  readonly met: number;
}

export interface Found {
  readonly accelerators: number;
  /** How the policy was set up. */
  readonly variant: string;
  readonly figures: Figures;
}

export interface CapacityResult {
  readonly kind: "capacity";
  /** As `attainments`; null: not with `devicesMax`. */
  readonly found: readonly (Found | null)[];
  /** Runs that a policy did not bring to an end: what it asked for is impossible, or it decides without end. */
  readonly failures: readonly string[];
  readonly notes: readonly string[];
}

export interface BoundResult {
  readonly kind: "bound";
  readonly accelerators: readonly number[];
}

export interface ShareResult {
  readonly kind: "share";
  readonly variant: string;
  readonly figures: Figures;
  readonly tenants: readonly TenantCount[];
  /** In which the requests came, all seeds together. */
  readonly arrivalSeconds: number;
  readonly failures: readonly string[];
}

export type Result = CapacityResult | BoundResult | ShareResult;
