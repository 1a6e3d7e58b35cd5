import type { Clock } from "../base/index.ts";
import { CommandFailure } from "./failure.ts";

export interface Watching<Answer> {
  readonly ask: (signal: AbortSignal) => Promise<Answer>;
  readonly show: (answer: Answer) => void;
  /** It did not answer this time. */
  readonly away: (failure: CommandFailure) => void;
  readonly clock: Clock;
  /** From question to question. */
  readonly intervalMs: number;
  /** Ends it, which is no failure. */
  readonly signal: AbortSignal;
}

/**
 * Asks again and again until it is told to stop. What is wrong with the first question is wrong with the command, which
 * fails as any other; once there was an answer, whoever is away is asked on until it is back.
 */
export async function watch<Answer>(watching: Watching<Answer>): Promise<void> {
  const { clock, intervalMs, signal } = watching;
  let hasAnswered = false;
  while (!signal.aborted) {
    const askedAtMs = clock.monotonicMs();
    const answer = await attempt(watching);
    // A question that was cut off by the end is not one that failed.
    if (signal.aborted) return;
    if (!(answer instanceof CommandFailure)) watching.show(answer);
    else if (hasAnswered) watching.away(answer);
    else throw answer;
    hasAnswered = true;
    await pause(clock, Math.max(0, askedAtMs + intervalMs - clock.monotonicMs()), signal);
  }
}

async function attempt<Answer>({ ask, signal }: Watching<Answer>): Promise<Answer | CommandFailure> {
  try {
    return await ask(signal);
  } catch (error) {
    if (error instanceof CommandFailure) return error;
    throw error;
  }
}

/** Waits, or until the signal comes; leaves neither a timer nor a listener behind. */
async function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  const over = Promise.withResolvers<void>();
  const cancel = clock.after(delayMs, over.resolve);
  const stop = (): void => over.resolve();
  signal.addEventListener("abort", stop);
  await over.promise;
  signal.removeEventListener("abort", stop);
  cancel();
}
