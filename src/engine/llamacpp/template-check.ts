import { createHash } from "node:crypto";
import { Worker } from "node:worker_threads";
import { type Clock, refuse, RefusalError } from "../../base/index.ts";

/** A template that an honest model comes with is done in milliseconds; the rest is the thread's start. */
const deadlineMs = 10_000;
const mostCharacters = 256 * 1024;

/** The library renders sample conversations while it takes a template in; in a thread that can be ended. */
const program = `
  const { parentPort, workerData } = require("node:worker_threads");
  import(workerData.library).then(({ JinjaTemplateChatWrapper }) => {
    try {
      new JinjaTemplateChatWrapper({ template: workerData.template });
    } catch {
      // A template that does not fit is no danger: another one stands in for it.
    }
    parentPort.postMessage("done");
  });
`;

/**
 * Tries chat templates where they can do no harm: one that does not come to an end, or takes all the memory, makes its
 * model refused (`model_invalid`) and not the engine hang. What has passed is not tried again: the thread takes half a second
 * of a processor, and a model comes back often.
 */
export class TemplateCheck {
  readonly #clock: Clock;
  /** Digests: as many as there are models at most. */
  readonly #passed = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async check(template: string | undefined): Promise<void> {
    if (template === undefined) return;
    const digest = createHash("sha256").update(template).digest("hex");
    if (this.#passed.has(digest)) return;
    await tryOut(template, this.#clock);
    this.#passed.add(digest);
  }
}

async function tryOut(template: string, clock: Clock): Promise<void> {
  if (template.length > mostCharacters) throw hostile(`it has more than ${mostCharacters} characters`);
  const worker = new Worker(program, {
    eval: true,
    workerData: { template, library: import.meta.resolve("node-llama-cpp") },
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  });
  let cancel = (): void => {};
  try {
    await new Promise<void>((resolve, reject) => {
      cancel = clock.after(deadlineMs, () => reject(hostile("it does not come to an end")));
      worker.once("message", () => resolve());
      worker.once("error", (error) => reject(hostile(String(error))));
      worker.once("exit", () => reject(hostile("it ended its thread")));
    });
  } finally {
    cancel();
    await worker.terminate();
  }
}

function hostile(reason: string): RefusalError {
  return new RefusalError(refuse("model_invalid", `The model's chat template cannot be used: ${reason}.`));
}
