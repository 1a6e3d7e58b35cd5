import { InvalidArgumentError } from "commander";

/** What options that are numbers are read by: each says what it wants. */
export function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`);
  };
}

export function positive(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0 && value <= 1e9) return value;
  throw new InvalidArgumentError("It is a number above 0, at most 1,000,000,000.");
}

export function seconds(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It is a number of seconds from ${least} to ${most.toLocaleString("en")}.`);
  };
}

/** Of a simulated workload; `most` minutes at most. */
export function minutes(most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isFinite(value) && value > 0 && value <= most) return value;
    throw new InvalidArgumentError(`It is a number of minutes above 0, at most ${most.toLocaleString("en")}.`);
  };
}

export function share(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError("It is a share above 0 and at most 1, such as 0.25 or 0.99.");
}
