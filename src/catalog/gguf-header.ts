import { tensorTypes } from "./ggml.ts";
import { type ByteSource, GgufCursor, malformed } from "./gguf-cursor.ts";

/** What a GGUF header may hold. The largest vocabularies known (262,144 tokens) need 6 MB and 2,500 tensors. */
export interface GgufLimits {
  readonly headerBytes: number;
  readonly keys: number;
  readonly keyBytes: number;
  readonly stringBytes: number;
  /** Strings longer than this are not kept, except the chat template, which has a bound of its own. */
  readonly keptStringBytes: number;
  readonly chatTemplateBytes: number;
  readonly arrayElements: number;
  /** Arrays of numbers up to this length are kept (head counts by layer); of longer ones only the length. */
  readonly keptArrayElements: number;
  readonly tensors: number;
}

export const ggufLimits: GgufLimits = {
  headerBytes: 64 * 1024 * 1024,
  keys: 4_096,
  keyBytes: 1_024,
  stringBytes: 1024 * 1024,
  keptStringBytes: 4_096,
  chatTemplateBytes: 64 * 1024,
  arrayElements: 4_000_000,
  keptArrayElements: 4_096,
  tensors: 65_536,
};

export type GgufValue =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "boolean"; readonly value: boolean }
  /** `text` is undefined where the string is over its bound: it is data, and was not read. */
  | { readonly kind: "string"; readonly text: string | undefined; readonly bytes: number }
  | { readonly kind: "array"; readonly length: number; readonly numbers: readonly number[] | undefined };

export interface GgufTensor {
  readonly name: string;
  readonly type: string;
  readonly elements: number;
  readonly bytes: number;
  /** From the start of the file. */
  readonly offset: number;
}

export interface GgufHeader {
  readonly version: 2 | 3;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensor[];
  readonly fileBytes: number;
}

/**
 * Reads header, metadata and tensor infos of a GGUF file, versions 2 and 3, little endian. Format: ggml's docs/gguf.md.
 * Every count, length and offset is checked against `limits` and the file's size before it is used; whatever does not
 * fit ends in a RefusalError (`model_invalid`) that says what and where.
 */
export async function readHeader(source: ByteSource, limits: GgufLimits): Promise<GgufHeader> {
  const cursor = new GgufCursor(source, limits.headerBytes);
  await cursor.need(24);
  if (cursor.take(4).toString("latin1") !== "GGUF") malformed("it does not begin with GGUF");
  const version = cursor.uint32();
  if (version === 0x02000000 || version === 0x03000000) malformed("it is a big-endian file");
  if (version !== 2 && version !== 3) malformed(`version ${version} is not 2 or 3`);
  const tensorCount = count(cursor.uint64(), limits.tensors, "tensors");
  const keyCount = count(cursor.uint64(), limits.keys, "metadata keys");

  const metadata = new Map<string, GgufValue>();
  for (let index = 0; index < keyCount; index++) {
    const key = await readKey(cursor, limits);
    if (metadata.has(key)) malformed(`the key ${key} stands twice`);
    metadata.set(key, await readValue(cursor, key, limits));
  }
  const infos = new Map<string, TensorInfo>();
  for (let index = 0; index < tensorCount; index++) {
    const info = await readTensorInfo(cursor, limits);
    if (infos.has(info.name)) malformed(`the tensor ${info.name} stands twice`);
    infos.set(info.name, info);
  }
  const alignment = readAlignment(metadata);
  const dataStart = Math.ceil(cursor.position / alignment) * alignment;
  return {
    version,
    metadata,
    tensors: placeTensors([...infos.values()], dataStart, alignment, source.sizeBytes),
    fileBytes: source.sizeBytes,
  };
}

function count(value: bigint, most: number, what: string): number {
  if (value > BigInt(most)) malformed(`it claims ${value} ${what}; at most ${most} are read`);
  return Number(value);
}

const strictText = new TextDecoder("utf-8", { fatal: true });

async function readName(cursor: GgufCursor, mostBytes: number, what: string): Promise<string> {
  await cursor.need(8);
  const length = count(cursor.uint64(), mostBytes, `bytes in ${what}`);
  if (length === 0) malformed(`${what} is empty`);
  await cursor.need(length);
  try {
    return strictText.decode(cursor.take(length));
  } catch {
    // The decoder's own message says no more than this.
    return malformed(`${what} is not UTF-8`);
  }
}

const readKey = (cursor: GgufCursor, limits: GgufLimits) => readName(cursor, limits.keyBytes, "a metadata key's name");

/** The types of a metadata value, by number: how many bytes, and how they are read. 8 is a string, 9 an array. */
const scalars: ReadonlyMap<number, { readonly bytes: number; readonly read: (cursor: GgufCursor) => number | bigint }> =
  new Map([
    [0, { bytes: 1, read: (cursor: GgufCursor) => cursor.uint8() }],
    [1, { bytes: 1, read: (cursor: GgufCursor) => cursor.int8() }],
    [2, { bytes: 2, read: (cursor: GgufCursor) => cursor.uint16() }],
    [3, { bytes: 2, read: (cursor: GgufCursor) => cursor.int16() }],
    [4, { bytes: 4, read: (cursor: GgufCursor) => cursor.uint32() }],
    [5, { bytes: 4, read: (cursor: GgufCursor) => cursor.int32() }],
    [6, { bytes: 4, read: (cursor: GgufCursor) => cursor.float32() }],
    [7, { bytes: 1, read: (cursor: GgufCursor) => cursor.uint8() }],
    [10, { bytes: 8, read: (cursor: GgufCursor) => cursor.uint64() }],
    [11, { bytes: 8, read: (cursor: GgufCursor) => cursor.int64() }],
    [12, { bytes: 8, read: (cursor: GgufCursor) => cursor.float64() }],
  ]);
const booleanType = 7;
const stringType = 8;
const arrayType = 9;

async function readValue(cursor: GgufCursor, key: string, limits: GgufLimits): Promise<GgufValue> {
  await cursor.need(4);
  const type = cursor.uint32();
  if (type === stringType) return readString(cursor, key, limits);
  if (type === arrayType) return readArray(cursor, key, limits);
  const scalar = scalars.get(type);
  if (scalar === undefined) return malformed(`the key ${key} has the unknown type ${type}`);
  await cursor.need(scalar.bytes);
  const value = Number(scalar.read(cursor));
  if (type !== booleanType) return { kind: "number", value };
  if (value > 1) malformed(`the key ${key} is a boolean of value ${value}`);
  return { kind: "boolean", value: value === 1 };
}

async function readString(cursor: GgufCursor, key: string, limits: GgufLimits): Promise<GgufValue> {
  await cursor.need(8);
  const bytes = count(cursor.uint64(), limits.stringBytes, `bytes in the string ${key}`);
  const most = key === "tokenizer.chat_template" ? limits.chatTemplateBytes : limits.keptStringBytes;
  if (bytes > most) {
    cursor.skip(bytes);
    return { kind: "string", text: undefined, bytes };
  }
  await cursor.need(bytes);
  return { kind: "string", text: cursor.take(bytes).toString("utf8"), bytes };
}

async function readArray(cursor: GgufCursor, key: string, limits: GgufLimits): Promise<GgufValue> {
  await cursor.need(12);
  const type = cursor.uint32();
  const length = count(cursor.uint64(), limits.arrayElements, `elements in the array ${key}`);
  if (type === stringType) {
    await skipStrings(cursor, key, length, limits);
    return { kind: "array", length, numbers: undefined };
  }
  // Arrays within arrays are allowed by the format, written by nobody, and refused by llama.cpp as well.
  if (type === arrayType) malformed(`the array ${key} holds arrays`);
  const scalar = scalars.get(type);
  if (scalar === undefined) return malformed(`the array ${key} has elements of the unknown type ${type}`);
  if (length > limits.keptArrayElements) {
    cursor.skip(length * scalar.bytes);
    return { kind: "array", length, numbers: undefined };
  }
  await cursor.need(length * scalar.bytes);
  return { kind: "array", length, numbers: Array.from({ length }, () => Number(scalar.read(cursor))) };
}

async function skipStrings(cursor: GgufCursor, key: string, length: number, limits: GgufLimits): Promise<void> {
  for (let index = 0; index < length; index++) {
    // A vocabulary has hundreds of thousands of strings: an await for each would be most of the time.
    if (cursor.buffered < 8) await cursor.need(8);
    const bytes = cursor.uint64();
    if (bytes > BigInt(limits.stringBytes)) malformed(`a string in the array ${key} claims ${bytes} bytes`);
    cursor.skip(Number(bytes));
  }
}

interface TensorInfo {
  readonly name: string;
  readonly type: string;
  readonly elements: number;
  readonly bytes: number;
  readonly dataOffset: bigint;
}

const mostDimensions = 4;
/** GGML_MAX_NAME is 64, its closing zero included. */
const tensorNameBytes = 63;

async function readTensorInfo(cursor: GgufCursor, limits: GgufLimits): Promise<TensorInfo> {
  const name = await readName(cursor, Math.min(tensorNameBytes, limits.keyBytes), "a tensor's name");
  await cursor.need(4);
  const dimensions = cursor.uint32();
  if (dimensions > mostDimensions) malformed(`the tensor ${name} has ${dimensions} dimensions`);
  await cursor.need(dimensions * 8 + 12);
  const sizes = Array.from({ length: dimensions }, () => cursor.uint64());
  const typeNumber = cursor.uint32();
  const dataOffset = cursor.uint64();
  const type = tensorTypes.get(typeNumber);
  if (type === undefined)
    return malformed(`the tensor ${name} has type ${typeNumber}, which this reader does not know`);
  const elements = sizes.reduce((product, size) => product * size, 1n);
  if (elements === 0n || elements > BigInt(Number.MAX_SAFE_INTEGER))
    malformed(`the tensor ${name} has ${elements} elements`);
  const row = sizes[0] ?? 1n;
  if (row % BigInt(type.elements) !== 0n) {
    malformed(
      `the tensor ${name} has rows of ${row} elements, which ${type.name} stores in blocks of ${type.elements}`,
    );
  }
  const bytes = (elements / BigInt(type.elements)) * BigInt(type.bytes);
  if (bytes > BigInt(Number.MAX_SAFE_INTEGER)) malformed(`the tensor ${name} claims ${bytes} bytes`);
  return { name, type: type.name, elements: Number(elements), bytes: Number(bytes), dataOffset };
}

function readAlignment(metadata: ReadonlyMap<string, GgufValue>): number {
  const value = metadata.get("general.alignment");
  if (value === undefined) return 32;
  const alignment = value.kind === "number" ? value.value : Number.NaN;
  // docs/gguf.md asks for a multiple of 8; llama.cpp for a power of two.
  if (!Number.isInteger(alignment) || alignment < 8 || alignment > 65_536 || (alignment & (alignment - 1)) !== 0) {
    malformed("general.alignment is not a power of two from 8 to 65536");
  }
  return alignment;
}

/** Every tensor's data must lie inside the file, aligned, and overlap no other's. */
function placeTensors(
  infos: readonly TensorInfo[],
  dataStart: number,
  alignment: number,
  fileBytes: number,
): readonly GgufTensor[] {
  const placed = infos.map(({ name, type, elements, bytes, dataOffset }) => {
    if (dataOffset % BigInt(alignment) !== 0n) malformed(`the tensor ${name} is not aligned to ${alignment} bytes`);
    if (dataOffset + BigInt(dataStart + bytes) > BigInt(fileBytes)) {
      malformed(`the tensor ${name} ends at byte ${dataOffset + BigInt(dataStart + bytes)} of a file of ${fileBytes}`);
    }
    return { name, type, elements, bytes, offset: dataStart + Number(dataOffset) };
  });
  const ordered = placed.toSorted((a, b) => a.offset - b.offset);
  for (const [index, tensor] of ordered.entries()) {
    const next = ordered[index + 1];
    if (next !== undefined && tensor.offset + tensor.bytes > next.offset) {
      malformed(`the tensors ${tensor.name} and ${next.name} overlap`);
    }
  }
  return placed;
}
