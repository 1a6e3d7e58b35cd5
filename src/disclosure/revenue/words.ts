const titles: Readonly<Record<string, string>> = {
  "ai-run-rate-quarter-x4": "AI run rate, quarter × 4",
  "ai-run-rate-last-month-x12": "AI run rate, last month × 12",
  "ai-run-rate-days": "AI run rate, by days",
  breakage: "Breakage of prepaid credits",
};

/** "ai-share-of-external" as a heading: "AI share of external". */
export function titleOf(id: string): string {
  const words = id.replaceAll("-", " ").replace(/\bai\b/, "AI");
  return titles[id] ?? words.charAt(0).toUpperCase() + words.slice(1);
}

export function valueText(
  { id, unit, value }: { readonly id: string; readonly unit: string; readonly value: string | null },
  currency: string,
): string {
  if (value === null) return "–";
  switch (unit) {
    case "share":
      return id.includes("growth") ? growthText(value) : `${percentText(value)} %`;
    case "money":
      return `${moneyText(value)} ${currency}`;
    case "money/hour":
      return `${moneyText(value)} ${currency}/h`;
    case "hours":
      return `${moneyText(value)} h`;
    default:
      return grouped(value);
  }
}

/** At a value that there is more to be said of. */
export function markOf({ caveat }: { readonly caveat: string | null }): string {
  return caveat === null ? "" : " *";
}

/** For people: two decimals, in groups of three. JSON has what is exact. */
export function moneyText(value: string): string {
  const [whole = "0", decimals = ""] = cut(value).split(".");
  return `${grouped(whole)}.${decimals.padEnd(2, "0")}`;
}

/** Rounded by its digits, because a float does not hold them. */
function cut(value: string): string {
  const isNegative = value.startsWith("-");
  const [whole = "0", decimals = ""] = value.replace("-", "").split(".");
  const hundredths = BigInt(whole + decimals.padEnd(3, "0").slice(0, 2)) + (decimals.charAt(2) >= "5" ? 1n : 0n);
  const digits = hundredths.toString().padStart(3, "0");
  return `${isNegative && hundredths !== 0n ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

function grouped(whole: string): string {
  return whole.replaceAll(/\B(?=(\d{3})+(?!\d))/g, " ");
}

/** What something has grown by, with its sign: "+78.7 %". */
export function growthText(growth: string): string {
  const text = percentText(growth);
  return `${Number(text) > 0 ? "+" : ""}${text} %`;
}

/** A share in per cent, to one decimal. */
export function percentText(share: string): string {
  const text = (Number(share) * 100).toFixed(1);
  return text === "-0.0" ? "0.0" : text;
}
