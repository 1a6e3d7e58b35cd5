import type { ProjectId } from "../base/index.ts";
import { overlap, type Period } from "./metering.ts";

/** Where models can be had at the moment. */
export interface Serving {
  /** The devices that can be reserved, with what each serves. */
  readonly devices: readonly { readonly name: string; readonly models: readonly string[] }[];
  /** Models that can be had where nothing can be reserved. */
  readonly elsewhere: ReadonlySet<string>;
}

/** A device, whole, as somebody has it to himself for a time. */
export interface Held extends Period {
  readonly device: string;
  readonly holder: ProjectId;
}

/** A time in which every device that serves some models is somebody's own. */
export interface ShutOut extends Period {
  readonly models: readonly string[];
  /** For whom any of these devices is reserved: the only ones who have the models then. */
  readonly holders: readonly ProjectId[];
}

/** When, within a period, which models leave everybody but a few without a device; times that follow one another are one. */
export function shutOuts(period: Period, held: readonly Held[], serving: Serving): readonly ShutOut[] {
  const found: ShutOut[] = [];
  for (const span of spansOf(period, held)) {
    const { models, holders } = shutIn(span, held, serving);
    const last = found.at(-1);
    if (models.length === 0) continue;
    if (last?.untilMs === span.fromMs && isSame(last.models, models) && isSame(last.holders, holders)) {
      found[found.length - 1] = { ...last, untilMs: span.untilMs };
    } else found.push({ ...span, models, holders });
  }
  return found;
}

/** The parts of a period in which nothing begins or ends. */
function spansOf({ fromMs, untilMs }: Period, held: readonly Held[]): readonly Period[] {
  const changes = held.flatMap((each) => [each.fromMs, each.untilMs]).filter((at) => at > fromMs && at < untilMs);
  const moments = [...new Set([fromMs, ...changes, untilMs])].toSorted((a, b) => a - b);
  return moments.slice(1).map((endMs, index) => ({ fromMs: moments[index]!, untilMs: endMs }));
}

function shutIn(span: Period, held: readonly Held[], { devices, elsewhere }: Serving) {
  const holding = held.filter((each) => overlap(each, span));
  const holderOf = new Map(holding.map(({ device, holder }) => [device, holder]));
  const open = new Set(devices.filter(({ name }) => !holderOf.has(name)).flatMap(({ models }) => models));
  const taken = devices.filter(({ name }) => holderOf.has(name));
  const models = new Set(taken.flatMap(({ models }) => models).filter((model) => !open.has(model)));
  for (const model of elsewhere) models.delete(model);
  const holders = taken.filter((device) => device.models.some((model) => models.has(model)));
  return {
    models: [...models].toSorted(),
    holders: [...new Set(holders.map(({ name }) => holderOf.get(name)!))].toSorted(),
  };
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((each, index) => each === others[index]);
}
