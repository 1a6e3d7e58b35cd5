/**
 * The time in a witness's signature (c2sp.org/tlog-cosignature, "Format" and "Ed25519 signed message"): seconds since
 * 1970 as eight bytes, big-endian, before the Ed25519 signature. The signature covers the time and the whole text.
 */
export interface Cosignature {
  readonly timestampSeconds: number;
  /** 64 bytes. */
  readonly signature: Buffer;
}

const timestampBytes = 8;
const cosignatureBytes = timestampBytes + 64;

/** Undefined where the length is another, or the time is beyond 2^53: that far in the future nothing was signed. */
export function readCosignature(bytes: Buffer): Cosignature | undefined {
  if (bytes.length !== cosignatureBytes) return undefined;
  const timestampSeconds = Number(bytes.readBigUInt64BE());
  if (!Number.isSafeInteger(timestampSeconds)) return undefined;
  return { timestampSeconds, signature: bytes.subarray(timestampBytes) };
}

export function writeCosignature({ timestampSeconds, signature }: Cosignature): Buffer {
  const time = Buffer.alloc(timestampBytes);
  time.writeBigUInt64BE(BigInt(timestampSeconds));
  return Buffer.concat([time, signature]);
}

/** What a witness signs for a checkpoint's text. */
export function cosignedText(text: string, timestampSeconds: number): string {
  return `cosignature/v1\ntime ${timestampSeconds}\n${text}`;
}
