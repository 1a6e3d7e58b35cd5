import { type DeviceType, type Fleet, Pool, type Speed } from "../pool/index.ts";
import {
  type DeviceCount,
  type Figures,
  isExcluded,
  lowerBound,
  modelsOf,
  prepare,
  type Prepared,
  simulate,
  type Simulated,
  summarize,
  type Workload,
} from "../sim/index.ts";
import type { Terms } from "./question.ts";

/** A fleet that was tried: with every seed where it keeps what is promised, else up to the first that does not. */
export interface Trial extends Figures {
  readonly isMet: boolean;
}

/** How a fleet differs from the one that could be bought, to see what it lacks. */
export interface Change {
  readonly fleet: (fleet: Fleet) => Fleet;
}

/** Runs the pool under virtual time on fleets, and counts how often. */
export class Trials {
  readonly #terms: Terms;
  simulations = 0;

  constructor(terms: Terms) {
    this.#terms = terms;
  }

  prepare(fleet: readonly DeviceCount[], workload: Workload): Prepared {
    const { shapes, objective, linkGBps } = this.#terms;
    const inOrder = modelsOf(workload).map((model) => shapes.get(model)!);
    return prepare({ fleet, shapes: inOrder, objective, linkGBps, workloads: [workload] }, workload);
  }

  /** With one workload after the other, until one is missed. */
  run(fleet: readonly DeviceCount[], workloads: readonly Workload[], change?: Change): Trial {
    const devices = fleet.reduce((sum, { count }) => sum + count, 0);
    const runs: Simulated[] = [];
    for (const workload of workloads) {
      const prepared = this.prepare(fleet, workload);
      const changed = change === undefined ? prepared.fleet : change.fleet(prepared.fleet);
      this.simulations++;
      const run = simulate(changed, new Pool(changed), prepared.requests);
      runs.push(run);
      if (shareMet(run) < this.#terms.attainment) break;
    }
    const figures = summarize(
      runs.map((run) => ({ ...run, tookMs: 0 })),
      devices,
    );
    const isMet =
      figures.attainmentPerSeed.length === workloads.length &&
      runs.every((run) => shareMet(run) >= this.#terms.attainment);
    return { ...figures, isMet };
  }

  /** Whether nobody could keep what is promised with this fleet, whoever decides. Takes longer than a simulation. */
  isExcluded(fleet: readonly DeviceCount[], workloads: readonly Workload[]): boolean {
    return workloads.some((workload) => {
      const prepared = this.prepare(fleet, workload);
      return isExcluded(prepared.fleet, prepared.requests, this.#terms.attainment);
    });
  }

  /** So many devices of this type are the least that keep what is promised, whoever decides. */
  bound(type: DeviceType, workload: Workload): number {
    const { fleet, requests } = this.prepare([{ type, count: 1 }], workload);
    return lowerBound(fleet, requests, this.#terms.attainment).accelerators;
  }
}

function shareMet({ outcomes }: Simulated): number {
  return outcomes.filter(({ isMet }) => isMet).length / outcomes.length;
}

export function withMemory(factor: number): Change {
  return {
    fleet: (fleet) => ({
      ...fleet,
      devices: fleet.devices.map((device) => ({ ...device, memoryBytes: device.memoryBytes * factor })),
    }),
  };
}

export function withLink(factor: number): Change {
  return {
    fleet: (fleet) => ({
      ...fleet,
      devices: fleet.devices.map((device) => ({ ...device, linkBytesPerMs: device.linkBytesPerMs * factor })),
      speed: (model, device) => {
        const speed = fleet.speed(model, device);
        return { ...speed, loadMs: speed.loadMs / factor };
      },
    }),
  };
}

/** Faster in all but copying weights. */
export function withCompute(factor: number): Change {
  // The pool asks for the same speed often, and compares what it is given.
  const faster = new Map<Speed, Speed>();
  return {
    fleet: (fleet) => ({
      ...fleet,
      speed: (model, device) => {
        const speed = fleet.speed(model, device);
        const known = faster.get(speed);
        if (known !== undefined) return known;
        const made: Speed = {
          prefillFixedMs: speed.prefillFixedMs / factor,
          prefillTokenMs: speed.prefillTokenMs / factor,
          prefillTokenSquaredMs: speed.prefillTokenSquaredMs / factor,
          decodeFixedMs: speed.decodeFixedMs / factor,
          decodeSequenceMs: speed.decodeSequenceMs / factor,
          decodeContextTokenMs: speed.decodeContextTokenMs / factor,
          loadMs: speed.loadMs,
        };
        faster.set(speed, made);
        return made;
      },
    }),
  };
}
