import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type ModelShape, readGgufFrom } from "./gguf.ts";
import type { ByteSource } from "./gguf-cursor.ts";
import { ggufLimits } from "./gguf-header.ts";
import { type TinyField, tinyGguf, tinyMetadata, tinyTensors } from "./tiny-gguf.ts";

/** A source that watches what is asked of it: the largest buffer and how often it was read. */
function watched(bytes: Buffer): ByteSource & { largestBytes: number; reads: number } {
  return {
    sizeBytes: bytes.length,
    largestBytes: 0,
    reads: 0,
    read(into, position) {
      this.largestBytes = Math.max(this.largestBytes, into.length);
      this.reads += 1;
      return Promise.resolve(bytes.copy(into, 0, position));
    },
  };
}

const read = (bytes: Buffer) => readGgufFrom(watched(bytes));

async function shapeOf(bytes: Buffer): Promise<ModelShape> {
  const shape = await read(bytes);
  return shape.outcome === "read" ? shape : assert.fail(shape.message);
}

async function refusalOf(bytes: Buffer): Promise<string> {
  const shape = await read(bytes);
  if (shape.outcome !== "refused") assert.fail("it was read");
  assert.equal(shape.code, "model_invalid");
  return shape.message;
}

const without = (key: string) => tinyMetadata.filter(([name]) => name !== key);
const withField = (...fields: TinyField[]) => [
  ...tinyMetadata.filter(([name]) => !fields.some(([changed]) => changed === name)),
  ...fields,
];

/** One more field, in the file's own bytes: for what the writer would not write. */
function withRawField(key: string, type: number, value: Buffer): Buffer {
  const bytes = tinyGguf({ metadata: [...tinyMetadata, [key, "uint32", 0xfeedface]] });
  const at = bytes.indexOf(Buffer.from([4, 0, 0, 0, 0xce, 0xfa, 0xed, 0xfe]));
  const typed = Buffer.alloc(4);
  typed.writeUInt32LE(type);
  return Buffer.concat([bytes.subarray(0, at), typed, value, bytes.subarray(at + 8)]);
}

function uint64(...values: readonly (bigint | number)[]): Buffer {
  const bytes = Buffer.alloc(values.length * 8);
  values.forEach((value, index) => bytes.writeBigUInt64LE(BigInt(value), index * 8));
  return bytes;
}

describe("what a GGUF file says of its model", () => {
  for (const version of [2, 3]) {
    it(`is read from version ${version}`, async () => {
      const shape = await shapeOf(tinyGguf({ version }));
      assert.deepEqual(
        { ...shape, fileBytes: 0 },
        {
          outcome: "read",
          ggufVersion: version,
          architecture: "llama",
          name: "Tiny",
          contextTokens: 2_048,
          layers: 2,
          embeddingLength: 64,
          heads: [4, 4],
          keyValueHeads: [2, 2],
          vocabularySize: 4,
          experts: undefined,
          quantisation: "F32",
          parameters: 512,
          activeParameters: 512,
          weightsBytes: 1_024 + 272,
          fileBytes: 0,
          // 2 layers of 2 heads, each a key and a value of 64 / 4 entries of 2 bytes.
          keyValueBytesPerToken: 2 * 2 * (16 + 16) * 2,
          tokenizer: { model: "gpt2", beginToken: 0, endToken: 1 },
          chatTemplate: { kind: "present", text: "{% for message in messages %}{{ message.content }}{% endfor %}" },
        },
      );
    });
  }

  it("takes head lengths and counts by layer from where the file has them", async () => {
    const shape = await shapeOf(
      tinyGguf({
        metadata: withField(
          ["llama.attention.head_count_kv", "int32s", [0, 3]],
          ["llama.attention.key_length", "uint32", 24],
          ["llama.attention.value_length", "uint32", 8],
        ),
      }),
    );
    assert.deepEqual(shape.keyValueHeads, [0, 3]);
    assert.equal(shape.keyValueBytesPerToken, 3 * (24 + 8) * 2);
  });

  it("counts the experts that a token uses", async () => {
    const shape = await shapeOf(
      tinyGguf({
        metadata: withField(["llama.expert_count", "uint32", 4], ["llama.expert_used_count", "uint32", 1]),
        tensors: [...tinyTensors, { name: "blk.0.ffn_up_exps.weight", dimensions: [32, 4, 4], type: 0, bytes: 2_048 }],
      }),
    );
    assert.deepEqual(shape.experts, { count: 4, used: 1 });
    assert.equal(shape.parameters, 512 + 512);
    assert.equal(shape.activeParameters, 512 + 128);
  });

  it("does not guess a cache size for latent attention", async () => {
    const shape = await shapeOf(tinyGguf({ metadata: withField(["llama.attention.kv_lora_rank", "uint32", 512]) }));
    assert.equal(shape.keyValueBytesPerToken, undefined);
  });

  it("flags a chat template over the bound, and does not read it", async () => {
    const template = "{{ x }}".repeat(20_000);
    const shape = await shapeOf(tinyGguf({ metadata: withField(["tokenizer.chat_template", "string", template]) }));
    assert.deepEqual(shape.chatTemplate, { kind: "oversized", bytes: 140_000 });
  });

  it("says that a base model has no chat template", async () => {
    const shape = await shapeOf(tinyGguf({ metadata: without("tokenizer.chat_template") }));
    assert.deepEqual(shape.chatTemplate, { kind: "absent" });
  });
});

describe("a GGUF file that is not what it claims", () => {
  const huge = 2n ** 62n;
  const cases: readonly [what: string, bytes: Buffer, message: RegExp][] = [
    ["is something else", Buffer.from("PK\x03\x04 and more than 24 bytes of it"), /does not begin with GGUF/],
    ["is big-endian", tinyGguf({ version: 0x03000000 }), /big-endian/],
    ["has version 1", tinyGguf({ version: 1 }), /version 1/],
    ["claims 2^62 tensors", patched(8, uint64(huge)), /tensors; at most/],
    ["claims 2^62 keys", patched(16, uint64(huge)), /metadata keys; at most/],
    ["claims a key of 2^62 bytes", patched(24, uint64(huge)), /bytes in a metadata key/],
    ["has a key that is not UTF-8", patched(32, Buffer.from([0xff, 0xfe])), /not UTF-8/],
    ["claims a string of 2^62 bytes", withRawField("x", 8, uint64(huge)), /bytes in the string x/],
    ["claims a string past its end", withRawField("x", 8, uint64(1_000_000)), /ends at byte/],
    [
      "claims an array of 2^62",
      withRawField("x", 9, Buffer.concat([uint32(8), uint64(huge)])),
      /elements in the array x/,
    ],
    [
      "claims an array past its end",
      withRawField("x", 9, Buffer.concat([uint32(12), uint64(4_000_000)])),
      /ends at byte/,
    ],
    ["has arrays in an array", withRawField("x", 9, Buffer.concat([uint32(9), uint64(1)])), /holds arrays/],
    [
      "has an array of an unknown type",
      withRawField("x", 9, Buffer.concat([uint32(99), uint64(1)])),
      /unknown type 99/,
    ],
    [
      "has a huge string in an array",
      withRawField("x", 9, Buffer.concat([uint32(8), uint64(1, huge)])),
      /claims 4611686018427387904 bytes/,
    ],
    ["has an unknown type", withRawField("x", 13, Buffer.alloc(4)), /unknown type 13/],
    ["has a boolean of 7", withRawField("x", 7, Buffer.from([7])), /boolean of value 7/],
    ["has a key twice", tinyGguf({ metadata: [...tinyMetadata, ["general.name", "string", "Other"]] }), /stands twice/],
    ["has no architecture", tinyGguf({ metadata: without("general.architecture") }), /general.architecture is missing/],
    ["has no context length", tinyGguf({ metadata: without("llama.context_length") }), /no language model/],
    ["has no layers", tinyGguf({ metadata: withField(["llama.block_count", "uint32", 0]) }), /block_count/],
    [
      "has heads for other layers",
      tinyGguf({ metadata: withField(["llama.attention.head_count", "int32s", [4]]) }),
      /head counts/,
    ],
    [
      "uses more experts than it has",
      tinyGguf({ metadata: withField(["llama.expert_count", "uint32", 1], ["llama.expert_used_count", "uint32", 2]) }),
      /experts/,
    ],
    ["is one part of several", tinyGguf({ metadata: withField(["split.count", "uint32", 3]) }), /one of 3 files/],
    ["has an alignment of 3", tinyGguf({ metadata: withField(["general.alignment", "uint32", 3]) }), /alignment/],
    ["has no tensors", tinyGguf({ tensors: [] }), /no tensors/],
    ["has a tensor past its end", tinyGguf({ tensors: [{ ...tinyTensors[0]!, offset: 1n << 40n }] }), /ends at byte/],
    [
      "has a tensor at 2^64 - 32",
      tinyGguf({ tensors: [{ ...tinyTensors[0]!, offset: 2n ** 64n - 32n }] }),
      /ends at byte/,
    ],
    ["has a tensor out of line", tinyGguf({ tensors: [{ ...tinyTensors[0]!, offset: 8n }] }), /not aligned/],
    [
      "has tensors that overlap",
      tinyGguf({ tensors: [tinyTensors[0]!, { ...tinyTensors[1]!, offset: 32n }] }),
      /overlap/,
    ],
    ["has a tensor twice", tinyGguf({ tensors: [tinyTensors[0]!, tinyTensors[0]!] }), /stands twice/],
    ["has a tensor of type 99", tinyGguf({ tensors: [{ ...tinyTensors[0]!, type: 99 }] }), /does not know/],
    [
      "has a tensor of five dimensions",
      tinyGguf({ tensors: [{ ...tinyTensors[0]!, dimensions: [1, 1, 1, 1, 1] }] }),
      /dimensions/,
    ],
    ["has an empty tensor", tinyGguf({ tensors: [{ ...tinyTensors[0]!, dimensions: [0, 4] }] }), /0 elements/],
    [
      "has a tensor of 2^80 elements",
      tinyGguf({ tensors: [{ ...tinyTensors[0]!, dimensions: [2 ** 40, 2 ** 40] }] }),
      /elements/,
    ],
    [
      "has rows that are no whole blocks",
      tinyGguf({ tensors: [{ ...tinyTensors[1]!, dimensions: [33, 4] }] }),
      /blocks of 32/,
    ],
    [
      "has a tensor's name over 63 bytes",
      tinyGguf({ tensors: [{ ...tinyTensors[0]!, name: "n".repeat(64) }] }),
      /tensor's name/,
    ],
  ];
  for (const [what, bytes, message] of cases) {
    it(`is refused where it ${what}`, async () => assert.match(await refusalOf(bytes), message));
  }

  it("is refused at every length that it was cut to", async () => {
    const whole = tinyGguf();
    for (let length = 0; length < whole.length - 16; length++) {
      assert.match(await refusalOf(whole.subarray(0, length)), /Not a GGUF file that can be served/);
    }
  });

  it("is refused where its header is over the limit", async () => {
    const limited = await readGgufFrom(watched(tinyGguf()), { ...ggufLimits, headerBytes: 100 });
    assert.equal(limited.outcome, "refused");
  });
});

describe("any bytes at all", () => {
  const whole = tinyGguf();
  const headerBytes = whole.lastIndexOf("output.weight") + 60;

  async function endsWell(bytes: Buffer): Promise<void> {
    const source = watched(bytes);
    const shape = await readGgufFrom(source);
    if (shape.outcome === "refused") assert.equal(shape.code, "model_invalid");
    assert.ok(source.largestBytes <= bytes.length, `a buffer of ${source.largestBytes} for ${bytes.length} bytes`);
    assert.ok(source.reads < 1_000);
  }

  it("end in a shape or a refusal where some were changed", async () => {
    const change = fc.record({ at: fc.nat(headerBytes), byte: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), async (changes) => {
        const bytes = Buffer.from(whole);
        for (const { at, byte } of changes) bytes[at] = byte;
        await endsWell(bytes);
      }),
      { numRuns: 1_000 },
    );
  });

  it("end in a shape or a refusal where a number became a large one", async () => {
    const large = fc.constantFrom(2n ** 64n - 1n, 2n ** 63n, 2n ** 32n, 2n ** 31n - 1n, 0n, 65_536n, 4_000_000n);
    await fc.assert(
      fc.asyncProperty(fc.nat(headerBytes), large, async (at, value) => {
        const bytes = Buffer.from(whole);
        bytes.writeBigUInt64LE(value, Math.min(at, bytes.length - 8));
        await endsWell(bytes);
      }),
      { numRuns: 1_000 },
    );
  });

  it("end in a shape or a refusal where they are random behind a header", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 512 }), async (tail) => {
        const counts = uint64(BigInt(tail[0] ?? 0), BigInt(tail[1] ?? 0));
        await endsWell(Buffer.concat([whole.subarray(0, 8), counts, tail]));
      }),
      { numRuns: 500 },
    );
  });
});

function patched(at: number, bytes: Buffer): Buffer {
  const whole = tinyGguf();
  bytes.copy(whole, at);
  return whole;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
