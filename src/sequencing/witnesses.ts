import type { Clock } from "../base/index.ts";
import {
  addCosignatures,
  type Checkpoint,
  consistencyProof,
  formatAddCheckpoint,
  type ReadTile,
  type VerifierKey,
} from "../log/index.ts";

export interface WitnessSettings {
  readonly name: string;
  /** Its prefix: `add-checkpoint` stands below it. */
  readonly url: string;
  readonly key: VerifierKey;
}

/** Sends a body and resolves with what came back, bounded in time and bytes. Rejects where nothing did. */
export type Post = (url: string, body: Buffer) => Promise<{ readonly status: number; readonly body: string }>;

export interface WitnessesOptions {
  readonly witnesses: readonly WitnessSettings[];
  readonly clock: Clock;
  readonly post: Post;
  readonly onCosigned: (cosigned: Shown) => void;
}

/** A checkpoint as it is shown, with what it says. */
export interface Shown {
  readonly checkpoint: Pick<Checkpoint, "origin" | "size" | "root">;
  readonly note: Buffer;
}

export interface WitnessStatus {
  readonly name: string;
  /** Entries of the last checkpoint that it cosigned for this process. */
  readonly size: number | null;
  /** Why the last try gave no cosignature; null: it did, or none was made yet. */
  readonly problem: string | null;
}

/** One that is asked, and what it is thought to have cosigned last. */
interface Asked {
  readonly witness: WitnessSettings;
  oldSize: number;
  cosigned: number | null;
  problem: string | null;
}

const askEveryMs = 1_000;

/**
 * Asks witnesses to cosign the newest checkpoint, all at once, at most once a second. Nothing waits for them: what they
 * have not cosigned yet is shown all the same, and the next checkpoint is asked for with all that has come meanwhile.
 */
export class Witnesses {
  readonly #options: WitnessesOptions;
  readonly #asked: readonly Asked[];
  #newest: { readonly shown: Shown; readonly readTile: ReadTile } | undefined;
  #isAsking = false;
  #isClosed = false;

  constructor(options: WitnessesOptions) {
    this.#options = options;
    this.#asked = options.witnesses.map((witness) => ({ witness, oldSize: 0, cosigned: null, problem: null }));
  }

  get status(): readonly WitnessStatus[] {
    return this.#asked.map(({ witness: { name }, cosigned, problem }) => ({ name, size: cosigned, problem }));
  }

  /** A checkpoint is shown. */
  shown(shown: Shown, readTile: ReadTile): void {
    this.#newest = { shown, readTile };
    if (this.#asked.length > 0 && !this.#isAsking) void this.#ask();
  }

  close(): void {
    this.#isClosed = true;
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    const { clock, onCosigned } = this.#options;
    for (let newest = this.#newest; newest !== undefined && !this.#isClosed; newest = this.#newest) {
      this.#newest = undefined;
      const { shown, readTile } = newest;
      const answers = await Promise.all(this.#asked.map((asked) => this.#askOne(asked, shown, readTile)));
      const { note } = shown;
      const signed = answers.reduce<Buffer>((all, each) => Buffer.concat([all, each.subarray(note.length)]), note);
      if (signed.length > note.length) onCosigned({ ...shown, note: signed });
      await new Promise<void>((resolve) => clock.after(askEveryMs, resolve));
    }
    this.#isAsking = false;
  }

  /** The note with this witness's signature; as it was where there is none. */
  async #askOne(asked: Asked, shown: Shown, readTile: ReadTile): Promise<Buffer> {
    try {
      return await this.#cosigned(asked, shown, readTile, true);
    } catch (error) {
      asked.problem = error instanceof Error ? error.message : String(error);
      return shown.note;
    }
  }

  async #cosigned(asked: Asked, shown: Shown, readTile: ReadTile, mayRepeat: boolean): Promise<Buffer> {
    const { witness, oldSize } = asked;
    const { size } = shown.checkpoint;
    if (oldSize > size) throw new Error(`it has cosigned ${oldSize} entries, and the log has ${size}`);
    const path = oldSize === 0 || oldSize === size ? [] : await consistencyProof(readTile, oldSize, size);
    const body = formatAddCheckpoint({ oldSize, path, checkpoint: shown.note });
    const answer = await this.#options.post(`${witness.url}/add-checkpoint`, body);
    if (answer.status === 409 && mayRepeat && /^\d{1,15}\n?$/.test(answer.body)) {
      asked.oldSize = Number(answer.body);
      return this.#cosigned(asked, shown, readTile, false);
    }
    if (answer.status !== 200) throw new Error(`it answered ${answer.status}: ${answer.body.trim().slice(0, 200)}`);
    const added = addCosignatures(shown.note, answer.body, [witness.key]);
    if (added.outcome === "refused") throw new Error(added.reason);
    [asked.oldSize, asked.cosigned, asked.problem] = [size, size, null];
    return added.checkpoint;
  }
}
