import type { Surroundings } from "./surroundings.ts";

/** A terminal sends a signal to the whole group, so that it may come twice: what comes this soon is no second wish. */
const sameSignalMs = 300;

/** What the operator's signals ask for. */
export interface Stopping {
  /** Aborted by the first. */
  readonly signal: AbortSignal;
  /** Resolves with the first. */
  readonly asked: Promise<void>;
  /** Aborted by a later one of its own: end now. */
  readonly hurry: AbortSignal;
}

export function listenToSignals({ onStopSignal, clock }: Pick<Surroundings, "onStopSignal" | "clock">): Stopping {
  const [stop, hurry] = [new AbortController(), new AbortController()];
  const asked = Promise.withResolvers<void>();
  let askedAtMs: number | undefined;
  onStopSignal(() => {
    const nowMs = clock.monotonicMs();
    if (askedAtMs !== undefined && nowMs - askedAtMs > sameSignalMs) hurry.abort(new Error("stopped at once"));
    if (askedAtMs !== undefined) return;
    askedAtMs = nowMs;
    stop.abort(new Error("stopped"));
    asked.resolve();
  });
  return { signal: stop.signal, asked: asked.promise, hurry: hurry.signal };
}
