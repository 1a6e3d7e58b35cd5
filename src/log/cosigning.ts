import type { Clock } from "../base/index.ts";
import type { TrustedLog } from "./checkpoint.ts";
import type { Disk } from "./disk.ts";
import { type SigningKey, verifierKeyOf, type VerifierKey } from "./keys.ts";
import { type Cosigned, decideAddCheckpoint } from "./witness.ts";
import { WitnessFiles } from "./witness-file.ts";

export interface WitnessOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  /** Ed25519, and used for nothing else: what it signs does not say its name (c2sp.org/tlog-cosignature). */
  readonly cosigner: SigningKey;
  /** Keys that it cosigned with before. */
  readonly retired?: readonly VerifierKey[];
  readonly logs: readonly TrustedLog[];
}

export type OpenedWitness =
  | { readonly outcome: "opened"; readonly witness: Witness }
  | { readonly outcome: "damaged"; readonly path: string; readonly reason: string };

export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422;
  readonly contentType: "text/plain; charset=utf-8" | "text/x.tlog.size";
  readonly body: string;
}

/** Reads what the witness cosigned last for each of its logs. One process at a time may have the folder open. */
export async function openWitness(options: WitnessOptions): Promise<OpenedWitness> {
  const keys = [verifierKeyOf("cosignature", options.cosigner), ...(options.retired ?? [])];
  const files = new WitnessFiles(options.disk, keys);
  const latest = new Map<string, Cosigned>();
  for (const { origin } of options.logs) {
    const read = await files.read(origin);
    if (read.outcome === "damaged") return read;
    if (read.outcome === "read") latest.set(origin, read.cosigned);
  }
  return { outcome: "opened", witness: new Witness(options, files, latest) };
}

/** A witness at work: decides on one request after the other, and answers when what it decided is durable. */
export class Witness {
  readonly #options: WitnessOptions;
  readonly #files: WitnessFiles;
  readonly #latest: Map<string, Cosigned>;
  #previous: Promise<unknown> = Promise.resolve();

  /** Use `openWitness`. */
  constructor(options: WitnessOptions, files: WitnessFiles, latest: Map<string, Cosigned>) {
    this.#options = options;
    this.#files = files;
    this.#latest = latest;
  }

  /** Answers an add-checkpoint request. Throws where what it decided cannot be written; then nothing was cosigned. */
  addCheckpoint(body: Buffer): Promise<WitnessAnswer> {
    const answer = this.#previous.then(() => this.#decide(body));
    // Who asked hears of a failure; the next request is decided on what is known.
    this.#previous = answer.catch(() => undefined);
    return answer;
  }

  /** The note of the latest checkpoint that was cosigned for a log. */
  latest(origin: string): string | undefined {
    return this.#latest.get(origin)?.note;
  }

  async #decide(body: Buffer): Promise<WitnessAnswer> {
    const { logs, cosigner, clock } = this.#options;
    const decision = decideAddCheckpoint(body, {
      logs,
      latest: (origin) => this.#latest.get(origin)?.checkpoint,
      cosigner,
      timestampSeconds: Math.floor(clock.nowMs() / 1_000),
    });
    if (decision.status === 200) {
      await this.#files.write(decision.latest);
      this.#latest.set(decision.latest.checkpoint.origin, decision.latest);
    }
    const contentType = decision.status === 409 ? "text/x.tlog.size" : "text/plain; charset=utf-8";
    return { status: decision.status, contentType, body: decision.body };
  }
}
