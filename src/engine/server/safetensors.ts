import { open } from "node:fs/promises";

interface TensorInfo {
  readonly shape: readonly number[];
}

const headerBytesMax = 64 << 20;

/** How many numbers a safetensors file holds, from its header alone: eight bytes of length, then JSON. */
export async function countParameters(path: string): Promise<number> {
  const file = await open(path, "r");
  try {
    const length = Buffer.alloc(8);
    await file.read(length, 0, 8, 0);
    const headerBytes = length.readBigUInt64LE();
    if (headerBytes > headerBytesMax) throw new Error(`${path} is no safetensors file, or its header is too large`);
    const header = Buffer.alloc(Number(headerBytes));
    await file.read(header, 0, header.length, 8);
    const { __metadata__: _, ...tensors } = JSON.parse(header.toString("utf8")) as Record<string, TensorInfo>;
    return Object.values(tensors).reduce(
      (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
      0,
    );
  } finally {
    await file.close();
  }
}
