import { minorAmount, minorText } from "../ledger/index.ts";

/** An amount that somebody pays, with all decimals of its currency: "2426.1" is "2426.10". One that is finer stays as it is. */
export function wholeAmount(amount: string, currency: string): string {
  const minor = minorAmount(amount, currency);
  return minor === undefined ? amount : minorText(minor, currency);
}
