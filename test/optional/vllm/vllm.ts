import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ModelFile } from "../../../src/engine/index.ts";

/** Where `test/optional/vllm/install` puts vLLM and its model. */
const folder = join(tmpdir(), "bailiwick-test-vllm-0.32.0");

/** Why the tests of the real vLLM do not run; false: they do. They take minutes, so that they run only when asked for. */
export const skipped: string | false =
  process.env["BAILIWICK_TEST_VLLM"] !== "1"
    ? "`npm run test:vllm` installs vLLM and runs it"
    : existsSync(join(folder, "complete"))
      ? false
      : "test/optional/vllm/install has not installed vLLM";

export const model: ModelFile = { name: "smollm2", path: join(folder, "smollm2"), sha256: "ab", contextTokens: 2_048 };

export const settings = {
  command: [
    join(folder, "bin", "vllm"),
    "serve",
    "{path}",
    "--enforce-eager",
    // Processors without instructions for 16-bit floats take three times as long with these.
    "--dtype",
    "float32",
    "--enable-auto-tool-choice",
    "--tool-call-parser",
    "hermes",
    "--enable-lora",
    "--max-lora-rank",
    "8",
  ],
  // Two processors, a small model: what is not said here vLLM would take of the machine.
  environment: { PATH: process.env["PATH"] ?? "", VLLM_CPU_KVCACHE_SPACE: "1", OMP_NUM_THREADS: "1" },
  startTimeoutMs: 240_000,
} as const;

export const engine = { threads: 1, sequences: 8, gpu: "off", prefillSliceTokens: 64, loadTimeoutMs: 240_000 } as const;
