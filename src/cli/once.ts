import { CommandFailure } from "./failure.ts";

/** Failures that leave it open whether it was done: the answer is lost, or the database went away while it was written. */
const unheard: ReadonlySet<string> = new Set([
  "unreachable",
  "unexpected_answer",
  "database_unavailable",
  "internal_error",
]);

/**
 * Asks for what must be done once, under an id that makes it the same when it is asked for again. Where no answer says whether it was done the
 * failure names the id: asked for without it, it would be done twice.
 */
export async function once<Answer>(id: string, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof CommandFailure) || !unheard.has(error.code)) throw error;
    const { code, message, next = "", reasons, param } = error;
    const again = `Whether it was done is not known: ask again with --id ${id}, and it is done once.`;
    throw new CommandFailure(code, message, { next: `${next} ${again}`.trim(), reasons, param });
  }
}
