/**
 * Does two things side by side. Where one fails, the signal that the other is given is aborted, and it is waited for:
 * whatever either has started is known by then, and can be stopped.
 */
export async function together<First, Second>(
  signal: AbortSignal,
  first: (signal: AbortSignal) => Promise<First>,
  second: (signal: AbortSignal) => Promise<Second>,
): Promise<[First, Second]> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const told = <Result>(work: Promise<Result>): Promise<Result> =>
    work.catch((error: unknown) => {
      failed.abort(error);
      throw error;
    });
  const both = [told(first(either)), told(second(either))] as const;
  await Promise.allSettled(both);
  // The reason is the first failure; the other one often only follows from it.
  if (failed.signal.aborted) throw failed.signal.reason;
  return Promise.all(both);
}
