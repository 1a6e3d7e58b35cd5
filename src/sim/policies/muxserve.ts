import type { Effect, Fleet, WorkEvent, PoolModel, Scheduler } from "../../pool/index.ts";
import { Station } from "./board.ts";
import { FixedPlacement, type FixedPlace } from "./fixed.ts";

export interface MuxServeOptions {
  /** Requests a second that a model is expected to have; equal for all if nothing is said. */
  readonly ratePerSecond: (model: PoolModel) => number;
  /** Of a device's memory, what the weights together leave to KV at least. */
  readonly kvShareMin: number;
  /** Models on one device. */
  readonly residentsMax: number;
}

export const defaultMuxServeOptions: MuxServeOptions = {
  ratePerSecond: () => 1,
  kvShareMin: 0.1,
  residentsMax: Infinity,
};

/**
 * Static multiplexing in the manner of MuxServe (ICML'24): models are fixed to devices by rate and size, share the
 * device in proportion to their demand, and are never swapped; who finds no place is refused.
 *
 * MuxServe gives its models shares of the multiprocessors at the same time. The machine has one turn at a time, so that
 * here the shares are slices of time. *Inferred*: demand is rate x weights, since a token costs about as much as there
 * are weights to read; the models with most of it are placed first, each where least demand for the memory is, of equals
 * where it fits most tightly.
 */
export class MuxServe implements Scheduler {
  readonly #placement: FixedPlacement;

  constructor(fleet: Fleet, options: Partial<MuxServeOptions> = {}) {
    this.#placement = new FixedPlacement(fleet, placesOf(fleet, { ...defaultMuxServeOptions, ...options }));
  }

  decide(event: WorkEvent, nowMs: number): readonly Effect[] {
    return this.#placement.decide(event, nowMs);
  }
}

interface Bin {
  readonly deviceIndex: number;
  readonly capacityBytes: number;
  weightsBytes: number;
  /** The longest context that one of its models allows. */
  contextBytes: number;
  demand: number;
  residents: number;
}

function placesOf(fleet: Fleet, options: MuxServeOptions): Map<string, FixedPlace> {
  const bins: Bin[] = fleet.devices.map((spec, deviceIndex) => {
    const { capacityBytes } = new Station(spec);
    return { deviceIndex, capacityBytes, weightsBytes: 0, contextBytes: 0, demand: 0, residents: 0 };
  });
  const demandOf = (model: PoolModel): number => options.ratePerSecond(model) * model.weightsBytes;
  const places = new Map<string, FixedPlace>();
  for (const model of [...fleet.models].sort((a, b) => demandOf(b) - demandOf(a))) {
    const contextBytes = model.contextTokens * model.kvBytesPerToken;
    const fitting = bins.filter((bin) => {
      const kvBytes = Math.max(bin.contextBytes, contextBytes, options.kvShareMin * bin.capacityBytes);
      return (
        bin.residents < options.residentsMax && bin.weightsBytes + model.weightsBytes + kvBytes <= bin.capacityBytes
      );
    });
    const load = (bin: Bin): number => bin.demand / bin.capacityBytes;
    const left = (bin: Bin): number => bin.capacityBytes - bin.weightsBytes;
    fitting.sort((a, b) => load(a) - load(b) || left(a) - left(b) || a.deviceIndex - b.deviceIndex);
    const [bin] = fitting;
    if (bin === undefined) continue;
    bin.weightsBytes += model.weightsBytes;
    bin.contextBytes = Math.max(bin.contextBytes, contextBytes);
    bin.demand += demandOf(model);
    bin.residents++;
    places.set(model.id, { deviceIndex: bin.deviceIndex, share: Math.max(demandOf(model), 1e-9) });
  }
  return places;
}
