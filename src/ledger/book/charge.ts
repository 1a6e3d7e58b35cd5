import {
  add,
  ceiling,
  compare,
  divide,
  type Fraction,
  fraction,
  multiply,
  none,
  smaller,
  subtract,
} from "./fraction.ts";

/** Up to and including `upTo` units; the last tier has no end. */
export interface Tier {
  readonly upTo: Fraction | undefined;
  readonly unitPrice: Fraction;
  /** Once, where the quantity reaches the tier. */
  readonly flatFee: Fraction;
}

/** How a quantity becomes money; the words are Lago's, and Stripe's of tiers. */
export type ChargeModel =
  | { readonly kind: "unit"; readonly unitPrice: Fraction }
  | { readonly kind: "package"; readonly size: Fraction; readonly price: Fraction }
  | { readonly kind: "graduated" | "volume"; readonly tiers: readonly Tier[] };

/** What a quantity from 0 costs, exactly. Nothing costs nothing, whatever the model. */
export function charge(model: ChargeModel, quantity: Fraction): Fraction {
  if (compare(quantity, none) <= 0) return none;
  if (model.kind === "unit") return multiply(quantity, model.unitPrice);
  if (model.kind === "package") {
    // A package that was begun is paid for.
    return multiply(fraction(ceiling(divide(quantity, model.size))), model.price);
  }
  return model.kind === "graduated" ? graduated(model.tiers, quantity) : volume(model.tiers, quantity);
}

/** Each tier's units at that tier's price. */
function graduated(tiers: readonly Tier[], quantity: Fraction): Fraction {
  let amount = none;
  let from = none;
  for (const { upTo, unitPrice, flatFee } of tiers) {
    if (compare(quantity, from) <= 0) break;
    const within = subtract(upTo === undefined ? quantity : smaller(quantity, upTo), from);
    amount = add(amount, add(multiply(within, unitPrice), flatFee));
    if (upTo === undefined) break;
    from = upTo;
  }
  return amount;
}

/** All units at the price of the tier that the quantity reaches. */
function volume(tiers: readonly Tier[], quantity: Fraction): Fraction {
  const { unitPrice, flatFee } = tiers.find(({ upTo }) => upTo === undefined || compare(quantity, upTo) <= 0)!;
  return add(multiply(quantity, unitPrice), flatFee);
}
