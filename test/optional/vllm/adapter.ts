import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const rank = 8;
const hidden = 576;
const layers = 30;

/** Writes a LoRA adapter for the small model in PEFT's format: made up, and strong enough to change every answer. */
export function writeAdapter(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const config = {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    r: rank,
    lora_alpha: 64,
    target_modules: ["q_proj"],
    bias: "none",
  };
  writeFileSync(join(folder, "adapter_config.json"), JSON.stringify(config));
  const header: Record<string, unknown> = {};
  const parts: Buffer[] = [];
  let at = 0;
  for (let layer = 0; layer < layers; layer++) {
    for (const [half, shape] of [
      ["lora_A", [rank, hidden]],
      ["lora_B", [hidden, rank]],
    ] as const) {
      const numbers = Float32Array.from({ length: rank * hidden }, (_, index) => Math.sin(index * 12.9898 + layer) / 2);
      const name = `base_model.model.model.layers.${layer}.self_attn.q_proj.${half}.weight`;
      header[name] = { dtype: "F32", shape, data_offsets: [at, at + numbers.byteLength] };
      parts.push(Buffer.from(numbers.buffer));
      at += numbers.byteLength;
    }
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(join(folder, "adapter_model.safetensors"), Buffer.concat([length, text, ...parts]));
}
