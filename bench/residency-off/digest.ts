/** In the place of src/receipt/digest.ts: bytes are counted, and nothing is hashed. */
export * from "../../src/receipt/digest.ts";

const nothing = "0".repeat(64);

export class ByteDigest {
  bytes = 0;

  update(bytes: Buffer): void {
    this.bytes += bytes.length;
  }

  value(): string {
    return nothing;
  }
}

export function digestOfText(): string {
  return nothing;
}
