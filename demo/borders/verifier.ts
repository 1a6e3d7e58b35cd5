/** The verifier that browsers get, from one file that has everything in it: as fast as it takes to try every byte. */
import { runInThisContext } from "node:vm";
import { bundles } from "../../src/browser/index.ts";
import type { Given } from "../../src/browser/verifier.ts";

export type { Given };

export interface Verdict {
  readonly valid: boolean;
  readonly reason: string;
  readonly checked: readonly string[];
}

export interface Verifier {
  verify(given: Given): Promise<Verdict>;
  /** The page that verifies in a browser, without a server. */
  readonly page: string;
}

export async function openVerifier(): Promise<Verifier> {
  const { verifier, page } = await bundles();
  const bundle = runInThisContext(`${verifier}\nbailiwick;`) as { verifyGiven(given: Given): Promise<Verdict> };
  return { verify: (given) => bundle.verifyGiven(given), page };
}
