import { durationMsOf } from "./duration.ts";
import { type Client, type Window, windowS } from "./servegen-clients.ts";
import { WorkloadError } from "./workload.ts";

/** A part of the trace's time, in seconds since its beginning. */
export interface Span {
  readonly startS: number;
  readonly endS: number;
}

/** Throws a `WorkloadError` unless the trace covers it all, with a request at least. Absent `startS`: its beginning. */
export function spanOf(path: string, clients: readonly Client[], startS: number | undefined, minutes: number): Span {
  const firstS = Math.min(...clients.map(({ windows }) => windows[0]!.startS));
  const lastS = Math.max(...clients.map(({ windows }) => windows.at(-1)!.startS)) + windowS;
  const from = startS ?? firstS;
  const span = { startS: from, endS: from + durationMsOf(minutes) / 1000 };
  const isInside = from >= 0 && span.endS <= lastS;
  if (isInside && clients.some((client) => requestsIn(client, span) > 0)) return span;
  throw new WorkloadError(
    `${path}: has requests from ${firstS} to ${lastS} s, but was asked for ${from} to ${span.endS} s: ` +
      "change the start or the minutes",
  );
}

/** The parts of a client's windows that are in the span. */
export function windowsIn({ windows }: Client, span: Span): readonly (Span & { readonly window: Window })[] {
  return windows
    .map((window) => ({
      window,
      startS: Math.max(window.startS, span.startS),
      endS: Math.min(window.startS + windowS, span.endS),
    }))
    .filter(({ startS, endS }) => startS < endS);
}

/** How many the client made in the span, by its rates. */
export function requestsIn(client: Client, span: Span): number {
  return windowsIn(client, span).reduce(
    (sum, { window, startS, endS }) => sum + window.ratePerSecond * (endS - startS),
    0,
  );
}
