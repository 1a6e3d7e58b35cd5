import { hash } from "node:crypto";
import { parseCheckpoint } from "./checkpoint.ts";
import type { Disk } from "./disk.ts";
import type { VerifierKey } from "./keys.ts";
import { checkNote, parseNote } from "./note.ts";
import type { Cosigned } from "./witness.ts";

export type ReadCosigned =
  | { readonly outcome: "read"; readonly cosigned: Cosigned }
  | { readonly outcome: "none" }
  /** To take it for nothing would let the witness cosign another tree. */
  | { readonly outcome: "damaged"; readonly path: string; readonly reason: string };

/**
 * The files in which a witness remembers what it cosigned last, one a log: the note itself, which is also what others may
 * read (c2sp.org/tlog-witness, "Monitor Retrieval Mechanism"). `keys`: those that it cosigns or has cosigned with.
 */
export class WitnessFiles {
  readonly #disk: Disk;
  readonly #keys: readonly VerifierKey[];

  constructor(disk: Disk, keys: readonly VerifierKey[]) {
    this.#disk = disk;
    this.#keys = keys;
  }

  /** What was cosigned last for the log of this name. */
  async read(origin: string): Promise<ReadCosigned> {
    const path = cosignedPath(origin);
    const bytes = await this.#disk.read(path);
    if (bytes === undefined) return { outcome: "none" };
    const parsed = parseNote(bytes);
    const read = parsed.outcome === "read" ? parseCheckpoint(parsed.note.text) : parsed;
    if (parsed.outcome === "malformed" || read.outcome === "malformed" || read.checkpoint.origin !== origin) {
      return { outcome: "damaged", path, reason: `${path} does not hold a checkpoint of ${origin}` };
    }
    if (checkNote(parsed.note, this.#keys).outcome !== "signed") {
      return { outcome: "damaged", path, reason: `${path} does not carry this witness's signature` };
    }
    return { outcome: "read", cosigned: { checkpoint: read.checkpoint, note: bytes.toString() } };
  }

  /** Durable once it resolves; after a crash there is either this or what was before. */
  async write({ checkpoint, note }: Cosigned): Promise<void> {
    const path = cosignedPath(checkpoint.origin);
    await this.#disk.write(`${path}.new`, Buffer.from(note));
    await this.#disk.rename(`${path}.new`, path);
    await this.#disk.syncFolder("");
  }
}

/** A log's name in a form that any file system takes: its SHA-256 in lower-case hex. */
function cosignedPath(origin: string): string {
  return hash("sha256", origin, "hex");
}
