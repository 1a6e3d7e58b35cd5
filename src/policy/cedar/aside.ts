import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { compilePolicies, type PolicyTexts } from "./compile.ts";
import type { CompiledPolicies, PoliciesInvalid } from "./policies.ts";

type Compiled = CompiledPolicies | PoliciesInvalid;

let last: Promise<unknown> = Promise.resolve();

/**
 * Compiles in a thread of its own, which ends with it: validating takes a part of a second, in which a gateway answers
 * nobody if its own thread does it. One at a time: whoever comes meanwhile waits. What comes back is plain data; Cedar's
 * parsed sets are made where they decide.
 */
export function compileAside(texts: PolicyTexts): Promise<Compiled> {
  const compiling = last.then(() => compileOnThread(texts));
  last = compiling.catch(() => undefined);
  return compiling;
}

/** Rejects where the thread fails: by a defect, or by a text that Cedar's engine does not survive. */
function compileOnThread(compile: PolicyTexts): Promise<Compiled> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { compile } });
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("the thread that compiles policies has ended without an answer")));
  });
}

if (!isMainThread) {
  const { compile } = (workerData ?? {}) as { readonly compile?: PolicyTexts };
  // Other threads of this program may load this module too.
  if (compile !== undefined) parentPort!.postMessage(compilePolicies(compile), []);
}
