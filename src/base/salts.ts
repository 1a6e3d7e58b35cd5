import { randomFillSync } from "node:crypto";

const saltBytes = 16;

/** Makes salts: 128 random bits as base64url. They are drawn for 256 at a time: one draw each costs a microsecond. */
export function createSalts(fill: (bytes: Buffer) => void = (bytes) => void randomFillSync(bytes)): () => string {
  const pool = Buffer.alloc(256 * saltBytes);
  let used = pool.length;
  return () => {
    if (used === pool.length) {
      fill(pool);
      used = 0;
    }
    used += saltBytes;
    return pool.toString("base64url", used - saltBytes, used);
  };
}
