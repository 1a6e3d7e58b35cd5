/**
 * Writes small GGUF files for tests: a valid language model's header with whatever a test changes in it. It ships with
 * the reader so that every test that needs a model file makes its own, and none is kept in the repository.
 */
export interface TinyGguf {
  readonly version?: number;
  readonly metadata?: readonly TinyField[];
  readonly tensors?: readonly TinyTensor[];
  readonly alignment?: number;
}

export type TinyField = readonly [
  key: string,
  type: "uint32" | "uint64" | "float32" | "boolean" | "string" | "strings" | "int32s",
  value: TinyValue,
];
type TinyValue = number | bigint | boolean | string | readonly string[] | readonly number[];

export interface TinyTensor {
  readonly name: string;
  readonly dimensions: readonly number[];
  /** ggml's number: 0 F32, 3 Q4_1, 8 Q8_0. */
  readonly type: number;
  readonly bytes: number;
  /** Where it claims to lie in the data section; undefined: where it does lie. */
  readonly offset?: bigint;
}

/** The metadata of a tiny model of the `llama` architecture: two layers, four heads, two of them for keys. */
export const tinyMetadata: readonly TinyField[] = [
  ["general.architecture", "string", "llama"],
  ["general.name", "string", "Tiny"],
  ["general.file_type", "uint32", 0],
  ["llama.block_count", "uint32", 2],
  ["llama.context_length", "uint32", 2_048],
  ["llama.embedding_length", "uint32", 64],
  ["llama.attention.head_count", "uint32", 4],
  ["llama.attention.head_count_kv", "uint32", 2],
  ["tokenizer.ggml.model", "string", "gpt2"],
  ["tokenizer.ggml.tokens", "strings", ["<s>", "</s>", "a", "b"]],
  ["tokenizer.ggml.bos_token_id", "uint32", 0],
  ["tokenizer.ggml.eos_token_id", "uint32", 1],
  ["tokenizer.chat_template", "string", "{% for message in messages %}{{ message.content }}{% endfor %}"],
];

export const tinyTensors: readonly TinyTensor[] = [
  { name: "token_embd.weight", dimensions: [64, 4], type: 0, bytes: 1_024 },
  { name: "output.weight", dimensions: [64, 4], type: 8, bytes: 272 },
];

export function tinyGguf({
  version = 3,
  metadata = tinyMetadata,
  tensors = tinyTensors,
  alignment = 32,
}: TinyGguf = {}): Buffer {
  const parts: Buffer[] = [Buffer.from("GGUF"), uint32(version), uint64(tensors.length), uint64(metadata.length)];
  for (const [key, type, value] of metadata) parts.push(string(key), field(type, value));
  let offset = 0;
  const data: Buffer[] = [];
  for (const tensor of tensors) {
    parts.push(string(tensor.name), uint32(tensor.dimensions.length), ...tensor.dimensions.map((size) => uint64(size)));
    parts.push(uint32(tensor.type), uint64(tensor.offset ?? offset));
    const stored = Math.ceil(tensor.bytes / alignment) * alignment;
    data.push(Buffer.alloc(stored, 0x2a));
    offset += stored;
  }
  const header = Buffer.concat(parts);
  const padding = Buffer.alloc((alignment - (header.length % alignment)) % alignment);
  return Buffer.concat([header, padding, ...data]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function string(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([uint64(bytes.length), bytes]);
}

function field(type: TinyField[1], value: TinyValue): Buffer {
  if (type === "uint32") return Buffer.concat([uint32(4), uint32(Number(value))]);
  if (type === "uint64") return Buffer.concat([uint32(10), uint64(BigInt(Number(value)))]);
  if (type === "boolean") return Buffer.concat([uint32(7), Buffer.from([Number(value)])]);
  if (type === "string") return Buffer.concat([uint32(8), string(String(value))]);
  if (type === "float32") {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(Number(value));
    return Buffer.concat([uint32(6), bytes]);
  }
  const items = Array.isArray(value) ? value : [];
  const encoded = items.map((item: string | number) =>
    type === "strings" ? string(String(item)) : uint32(Number(item)),
  );
  return Buffer.concat([uint32(9), uint32(type === "strings" ? 8 : 5), uint64(items.length), ...encoded]);
}
