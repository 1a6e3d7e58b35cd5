import { link, mkdir, open, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { refuse } from "../../base/index.ts";
import type { Paper } from "../formats/papers.ts";
import type { Delivered, Delivery } from "./delivery.ts";

/** So that two deliveries of one process never write into one file. */
let written = 0;

/** Puts invoices into a folder as `<number>.<extension>`, each whole or not at all. */
export class FolderDelivery implements Delivery {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async deliver({ invoice, extension, bytes }: Paper): Promise<Delivered> {
    await mkdir(this.#folder, { recursive: true });
    const place = join(this.#folder, `${invoice}.${extension}`);
    // Names that start with a dot are nobody's invoice, should one be left behind.
    const beside = join(this.#folder, `.${invoice}.${extension}.${process.pid}.${++written}`);
    try {
      await write(beside, bytes);
      return await this.#place(beside, place, bytes);
    } finally {
      await unlink(beside);
    }
  }

  /** A link, unlike a rename, never takes the place of what is there. */
  async #place(beside: string, place: string, bytes: Uint8Array): Promise<Delivered> {
    try {
      await link(beside, place);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      if (Buffer.compare(await readFile(place), bytes) === 0) return { outcome: "delivered", place, isNew: false };
      return refuse("delivery_conflict", `${place} is there with other bytes.`);
    }
    await sync(this.#folder);
    return { outcome: "delivered", place, isNew: true };
  }
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the names in a folder durable. */
async function sync(folder: string): Promise<void> {
  const opened = await open(folder, "r");
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}
