import type { Clock } from "../base/index.ts";
import { folderDisk, openSequencer, type Sequencer } from "../log/index.ts";
import { originOf, readGenerations } from "./generations.ts";
import type { KeyBook } from "./key-book.ts";
import { proofOf, type ReceiptPlace, type ReceiptProof, shownOf } from "./showing.ts";

interface EndedLog {
  readonly log: Sequencer;
  readonly folder: string;
  readonly origin: string;
}

/** The logs before the newest one: read, and never appended to. One that is damaged has nothing to show. */
export class EndedLogs {
  readonly #options: { readonly data: string; readonly origin: string; readonly clock: Clock };
  readonly #book: KeyBook;
  readonly #opened = new Map<number, EndedLog>();

  constructor(options: { readonly data: string; readonly origin: string; readonly clock: Clock }, book: KeyBook) {
    this.#options = options;
    this.#book = book;
  }

  get origins(): readonly string[] {
    return this.#generations().map((generation) => originOf(this.#options.origin, generation));
  }

  async find(number: number): Promise<EndedLog | undefined> {
    const generation = this.#generations().find((each) => each.number === number);
    if (generation === undefined) return undefined;
    const known = this.#opened.get(number);
    if (known !== undefined) return known;
    const origin = originOf(this.#options.origin, generation);
    const opened = await openSequencer({
      disk: await folderDisk(generation.folder),
      clock: this.#options.clock,
      origin,
      keys: this.#book.signingLog(origin),
    });
    if (opened.outcome !== "opened") return undefined;
    const ended = { log: opened.log, folder: generation.folder, origin };
    this.#opened.set(number, ended);
    return ended;
  }

  /** The proof from the newest of them that has the receipt; undefined where none has. */
  async prove({ batch, index, leaf }: ReceiptPlace): Promise<ReceiptProof | undefined> {
    for (const { number } of this.#generations().toReversed()) {
      const ended = await this.find(number);
      const found = await ended?.log.find(batch);
      const shown = ended && shownOf(ended.log, ended.origin);
      if (ended === undefined || shown === undefined || found?.outcome !== "found") continue;
      const proof = await proofOf(ended.log, leaf, found.first + index, shown);
      // After a restore another batch may stand at the same place of the journal.
      if (proof.outcome === "proven") return proof;
    }
    return undefined;
  }

  #generations() {
    return readGenerations(this.#options.data).slice(0, -1);
  }
}
