import { createIds, ManualClock } from "../../src/base/index.ts";
import { type BooksContext, createPricesInForce } from "../../src/books/index.ts";
import { goldenIssuer } from "../../src/invoicing/testing.ts";
import { type EmbeddedConnection, openStore } from "../../src/store/index.ts";
import { Way } from "./cut.ts";

/** A process that keeps books, from its start to its end. */
export interface Instance {
  readonly books: BooksContext;
  readonly way: Way;
  /** Also after its way was cut. */
  end(): Promise<void>;
}

export function clockAt(instant: string): ManualClock {
  return new ManualClock(Date.parse(instant));
}

/** Bytes for ids, each larger than the one before, also where that was drawn by an earlier process: what is sorted by id is by age. */
export function counting(): (bytes: Buffer) => void {
  return (bytes) => {
    for (let at = 0; at < bytes.length; at += 10) {
      drawn += 1n;
      bytes.writeUInt16BE(0, at);
      bytes.writeBigUInt64BE(drawn, at + 2);
    }
  };
}

let drawn = 0n;

const installation = "inst_00000000000000000000000000";

export async function startInstance(connection: EmbeddedConnection, at: string): Promise<Instance> {
  const way = await Way.to(connection);
  const clock = clockAt(at);
  const store = await openStore({ connection: way.connection, installation, clock, log: () => undefined });
  if (store.outcome === "refused") throw new Error(store.message);
  const { db } = store;
  const onFailure = (error: unknown): never => {
    throw error;
  };
  const prices = await createPricesInForce({ db, clock, settings: [], onFailure });
  const ids = createIds(clock, counting());
  const kept = { internal: [], issuer: goldenIssuer, lateUsage: "next-period" } as const;
  return {
    books: { db, clock, ids, prices, ...kept },
    way,
    async end() {
      prices.close();
      await way.close();
      await store.close();
    },
  };
}
