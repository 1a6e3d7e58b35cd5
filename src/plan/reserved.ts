import { formatAmount } from "../base/index.ts";
import type { DeviceCount } from "../sim/index.ts";
import { type Counts, fleetText, type Market, priceOf } from "./market.ts";
import type { Offer } from "./price-list.ts";
import { PlanError } from "./problem.ts";

/** Devices that tenants have reserved whole: they have to be had, and the pool's workload cannot count on them. */
export interface ReservedReport {
  readonly devices: readonly { readonly device: string; readonly name: string; readonly count: number }[];
  readonly pricePerHour: string;
}

/** A fleet and what is reserved, together: what has to be had. */
export interface TogetherReport {
  readonly fleet: string;
  readonly pricePerHour: string;
}

/** What is reserved, in the order of a price list's offers. */
export class Reserved {
  readonly #offers: readonly Offer[];
  readonly #counts: Counts;

  /** Throws a `PlanError` for what the list does not have, or not so many of. */
  constructor(reserved: readonly DeviceCount[], offers: readonly Offer[]) {
    this.#offers = offers;
    this.#counts = offers.map(({ type }) =>
      reserved.filter((each) => each.type === type).reduce((sum, { count }) => sum + count, 0),
    );
    for (const { type } of reserved) {
      if (offers.some((offer) => offer.type === type)) continue;
      throw new PlanError(`${type.name} is reserved, and the price list does not say what it costs: add it there`);
    }
    offers.forEach(({ type, availableMax }, index) => {
      const count = this.#counts[index]!;
      if (availableMax === undefined || count <= availableMax) return;
      throw new PlanError(
        `${count} x ${type.name} are reserved, and ${availableMax} can be had, as the price list says`,
      );
    });
  }

  get isNothing(): boolean {
    return this.#counts.every((count) => count === 0);
  }

  /** The offers with what is left of each. */
  rest(): readonly Offer[] {
    return this.#offers.map((offer, index) =>
      offer.availableMax === undefined ? offer : { ...offer, availableMax: offer.availableMax - this.#counts[index]! },
    );
  }

  report(): ReservedReport | null {
    if (this.isNothing) return null;
    const devices = this.#offers.flatMap(({ type }, index) =>
      this.#counts[index] === 0 ? [] : [{ device: type.id, name: type.name, count: this.#counts[index]! }],
    );
    return { devices, pricePerHour: formatAmount(priceOf(this.#market, this.#counts)) };
  }

  /** With a fleet out of a market of the list's devices; null where nothing is reserved. */
  with(market: Market, counts: Counts): TogetherReport | null {
    if (this.isNothing) return null;
    const inFleet = new Map(market.offers.map(({ type }, index) => [type, counts[index]!]));
    const all = this.#offers.map(({ type }, index) => this.#counts[index]! + (inFleet.get(type) ?? 0));
    return { fleet: fleetText(this.#market, all), pricePerHour: formatAmount(priceOf(this.#market, all)) };
  }

  get #market(): Market {
    return { offers: this.#offers, templates: [], groups: [] };
  }
}
