import { csvRows } from "./csv-rows.ts";
import { type IntervalShape, weibullShapeLeast, weibullShapeMost } from "./intervals.ts";
import { badRow, cellNumber, cellWholeNumber, notNegative, type Place } from "./place.ts";
import { WorkloadError } from "./workload.ts";

/** `cv` and `param2` are checked but not used: see `Window.intervals`. */
export const servegenColumns = ["client_id", "window_start_s", "rate_rps", "cv", "family", "param1", "param2"] as const;

export const windowS = 600;

/** What one client did in 600 s. */
export interface Window {
  /** Since the trace's beginning. */
  readonly startS: number;
  readonly ratePerSecond: number;
  /**
   * The family and shape that ServeGen fitted to the client's own. The measured cv is not used, because ServeGen's own
   * generator goes by the fit; nor is the fit's scale (`param2`), because the rate decides.
   */
  readonly intervals: IntervalShape;
}

export interface Client {
  readonly id: number;
  /** In order of time. */
  readonly windows: readonly Window[];
  /** Of all its windows; what clients are compared by. */
  readonly requests: number;
}

/**
 * Reads the arrivals of a ServeGen trace (alibaba/ServeGen, arXiv:2505.09999): CSV, one row a client and window of
 * 600 s. The clients come by their ids. Throws a `WorkloadError` that names the row.
 */
export async function readClients(path: string): Promise<readonly Client[]> {
  const windows = new Map<number, Map<number, Window>>();
  for await (const { cells, ...place } of csvRows(path, servegenColumns)) {
    const id = cellWholeNumber(place, "client_id", cells.client_id);
    const startS = cellWholeNumber(place, "window_start_s", cells.window_start_s);
    if (startS % windowS !== 0)
      throw badRow(place, `window_start_s is ${startS}, but windows begin every ${windowS} s`);
    const ratePerSecond = notNegative(place, "rate_rps", cellNumber(place, "rate_rps", cells.rate_rps));
    const own = windows.get(id) ?? new Map<number, Window>();
    windows.set(id, own);
    if (own.has(startS)) throw badRow(place, `client ${id} has its window from ${startS} s a second time`);
    // A window without requests has no intervals either.
    if (ratePerSecond > 0) own.set(startS, { startS, ratePerSecond, intervals: intervalsOf(place, cells) });
  }
  const clients = [...windows]
    .map(([id, own]) => clientOf(id, [...own.values()]))
    .filter(({ requests }) => requests > 0);
  if (clients.length === 0) throw new WorkloadError(`${path}: the file has no requests`);
  return clients.sort((a, b) => a.id - b.id);
}

function clientOf(id: number, windows: Window[]): Client {
  const requests = windows.reduce((sum, { ratePerSecond }) => sum + ratePerSecond * windowS, 0);
  return { id, windows: windows.sort((a, b) => a.startS - b.startS), requests };
}

function intervalsOf(
  place: Place,
  cells: Readonly<Record<"cv" | "family" | "param1" | "param2", string>>,
): IntervalShape {
  notNegative(place, "cv", cellNumber(place, "cv", cells.cv));
  const shape = cellNumber(place, "param1", cells.param1);
  if (shape <= 0) throw badRow(place, `param1 (the shape) is ${shape}, but must be above 0`);
  notNegative(place, "param2", cellNumber(place, "param2", cells.param2));
  switch (cells.family) {
    case "Gamma":
      return { family: "gamma", shape };
    case "Weibull":
      if (shape < weibullShapeLeast || shape > weibullShapeMost)
        throw badRow(
          place,
          `param1 (the shape) is ${shape}, but a Weibull's must be from ${weibullShapeLeast} to ${weibullShapeMost}`,
        );
      return { family: "weibull", shape };
    default:
      throw badRow(place, `family is "${cells.family}", but must be Gamma or Weibull`);
  }
}
