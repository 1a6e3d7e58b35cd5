/**
 * Calibrates the pool's cost model:
 *
 *     node bench/calibrate.ts --traces DIR
 *
 * reads DIR/aegaeon-latency-profiles.csv.gz, fits each pair of a model and a device, fits the roofline to the pairs and
 * writes src/pool/cost/calibration.ts. It prints what it left out, and the roofline's error on pairs it has not seen.
 * Run again on the same data it writes the same file.
 */
import { execFile } from "node:child_process";
import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { createGunzip } from "node:zlib";
import { parse } from "csv-parse";
import { type DeviceType, findDevice } from "../src/pool/cost/devices.ts";
import { fitDecode, fitPrefill, quantile } from "../src/pool/cost/fit.ts";
import { fitRoofline, leaveOut, type MeasuredPair, type RooflineError } from "../src/pool/cost/roofline-fit.ts";
import { contextTokenMs, tokenSquaredMs } from "../src/pool/cost/roofline.ts";
import type { ModelShape } from "../src/pool/cost/shape.ts";
import { findShape } from "../src/pool/cost/shapes.ts";

/** The source's names of a model, as it writes them in either folder with `_` and `.` as `-`, by the shape they have. */
const namesOf: Readonly<Record<string, readonly string[]>> = {
  "qwen2.5-7b": ["qwen2-5-7b"],
  "llama2-13b": ["llama2-13b", "llama2-13b-chat"],
  "llama2-7b": ["llama2-7b", "llama2-7b-chat"],
  "llama-7b": ["llama-7b-hf"],
  "qwen-7b": ["qwen-7b", "qwen-7b-chat"],
  "qwen-14b": ["qwen-14b-chat"],
  "qwen1.5-14b": ["qwen1-5-14b-chat"],
  "qwen1.5-moe-a2.7b": ["qwen1-5-moe-a2-7b-chat"],
  "yi-6b": ["yi-6b", "yi1-5-6b-chat"],
  "yi-9b": ["yi-9b", "yi1-5-9b-chat"],
  "baichuan-7b": ["baichuan-7b"],
  "baichuan2-13b": ["baichuan2-13b-chat"],
  "internlm2.5-7b": ["internlm2-5-7b-chat"],
};

/**
 * Tokens that the engine took into one prefill. With more the rest waits: the prefill's time no longer grows, and the
 * first decode steps hold the rest of it.
 */
const batchTokensMax = 4096;

/** Above it the matrix kernels need another tile, and a step on an A10 or an H20 takes half as much again. */
const sequencesMax = 128;

/** Nine in ten prefills took up to this many times what one in ten took: something else ran on the device. */
const spreadMax = 1.25;

interface Measurement {
  readonly inputTokens: number;
  readonly batch: number;
  readonly prefillMs: number;
  readonly prefillSpread: number;
  readonly decodeMs: number;
}

type Row = Readonly<Record<string, string>>;

const { values } = parseArgs({ options: { traces: { type: "string" } } });
if (values.traces === undefined) {
  process.stderr.write("usage: node bench/calibrate.ts --traces DIR\n");
  process.exit(2);
}

const pairs = await measuredPairs(join(values.traces, "aegaeon-latency-profiles.csv.gz"));
await writeCalibration(pairs);
print(
  "without the pair itself",
  leaveOut(pairs, (one, other) => one === other),
);
print(
  "without all of its device",
  leaveOut(pairs, (one, other) => one.device === other.device),
);
print(
  "without all of its model",
  leaveOut(pairs, (one, other) => one.shape === other.shape),
);

async function measuredPairs(file: string): Promise<readonly MeasuredPair[]> {
  const byPair = new Map<string, { shape: ModelShape; device: DeviceType; measurements: Measurement[] }>();
  const seen = new Set<string>();
  const left = new Map<string, number>();
  for await (const row of createReadStream(file)
    .pipe(createGunzip())
    .pipe(parse({ columns: true }))) {
    const { shape, device } = pairOf(row as Row);
    const reason = reasonToLeave(row as Row, { shape, device, seen });
    if (reason !== undefined) left.set(reason, (left.get(reason) ?? 0) + 1);
    if (reason !== undefined || shape === undefined || device === undefined) continue;
    const key = `${shape.id} ${device.id}`;
    const pair = byPair.get(key) ?? { shape, device, measurements: [] };
    pair.measurements.push(measurementOf(row as Row));
    byPair.set(key, pair);
  }
  for (const [reason, rows] of left) process.stdout.write(`left out: ${rows} rows, ${reason}\n`);
  const rows = [...byPair.values()].flatMap(({ measurements }) => measurements);
  const disturbed = rows.filter((row) => !isUndisturbed(row)).length;
  const unusual = rows.filter((row) => !isUsualStep(row)).length;
  process.stdout.write(`of ${rows.length} rows, ${disturbed} prefills and ${unusual} decode steps left out\n`);
  const ordered = [...byPair.values()].sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
  return ordered.map(({ shape, device, measurements }) => fitOf(shape, device, measurements));
}

function nameOf({ shape, device }: { readonly shape: ModelShape; readonly device: DeviceType }): string {
  return `${shape.id} ${device.id}`;
}

function pairOf(row: Row): { readonly shape: ModelShape | undefined; readonly device: DeviceType | undefined } {
  const name = row["model"]!.replaceAll(/[._]/g, "-");
  const id = Object.keys(namesOf).find((shape) => namesOf[shape]!.includes(name));
  const shape = id === undefined ? undefined : findShape(id);
  const device = findDevice(row["gpu"]!);
  return {
    shape: shape?.known === true ? shape.shape : undefined,
    device: device.known ? device.device : undefined,
  };
}

/** Why a row is no measurement to fit, if so. */
function reasonToLeave(
  row: Row,
  {
    shape,
    device,
    seen,
  }: { readonly shape: ModelShape | undefined; readonly device: DeviceType | undefined; readonly seen: Set<string> },
): string | undefined {
  if (row["variant"] !== "") return "several devices together";
  if (device === undefined) return "a device that the source does not describe (v100-N)";
  if (shape === undefined) return "a model whose shape is not known";
  const { inputTokens, batch } = measurementOf(row);
  if (inputTokens * batch > Math.min(batchTokensMax, shape.contextTokens)) return "more tokens than one prefill took";
  // The folders hold copies of one another, some under another model's name of the same sizes.
  const numbers = Object.entries(row).filter(([column]) => !["set", "model", "gpu"].includes(column));
  const copy = `${device.id} ${numbers.map(([, value]) => value).join(" ")}`;
  if (seen.has(copy)) return "copies of another row";
  seen.add(copy);
  return undefined;
}

function measurementOf(row: Row): Measurement {
  const milliseconds = (column: string): number => Number(row[column]) * 1000;
  return {
    inputTokens: Number(row["input_tokens"]),
    batch: Number(row["batch"]),
    prefillMs: milliseconds("prefill_p50_s"),
    prefillSpread: milliseconds("prefill_p90_s") / milliseconds("prefill_p10_s"),
    decodeMs: milliseconds("decode_p50_s"),
  };
}

function fitOf(shape: ModelShape, device: DeviceType, measurements: readonly Measurement[]): MeasuredPair {
  const squaredMs = tokenSquaredMs(shape, device);
  const contextMs = contextTokenMs(shape, device);
  const prefill = measurements
    .filter(isUndisturbed)
    .map(({ inputTokens, batch, prefillMs }) => ({ inputTokens, batch, ms: prefillMs }));
  const decode = measurements
    .filter(isUsualStep)
    .map(({ inputTokens, batch, decodeMs }) => ({ contextTokens: inputTokens * batch, batch, ms: decodeMs }));
  return {
    shape,
    device,
    prefill: fitPrefill(prefill, { lower: squaredMs, upper: squaredMs }),
    decode: fitDecode(decode, { lower: contextMs, upper: contextMs }),
  };
}

function isUndisturbed({ prefillSpread }: Measurement): boolean {
  return prefillSpread <= spreadMax;
}

function isUsualStep({ batch }: Measurement): boolean {
  return batch <= sequencesMax;
}

async function writeCalibration(pairs: readonly MeasuredPair[]): Promise<void> {
  const rounded = pairs.map(({ shape, device, prefill, decode }) => ({
    model: shape.id,
    device: device.id,
    prefill: roundedNumbers(prefill),
    decode: roundedNumbers(decode),
  }));
  const root = fileURLToPath(new URL("..", import.meta.url));
  const file = join(root, "src/pool/cost/calibration.ts");
  await writeFile(
    file,
    `import type { Calibration } from "./fit.ts";
import type { RooflineFactors } from "./roofline.ts";

/**
 * Written by bench/calibrate.ts, not by hand. Times are milliseconds. Source: Aegaeon artifact latency profiles, commit
 * 1c3b110, Apache-2.0 (Xiang et al., "Aegaeon", SOSP 2025), columns as docs/reference/cost-model.md tells.
 */
export const calibrations: readonly Calibration[] = ${JSON.stringify(rounded)};

/** The roofline's factors, fitted to the above. */
export const rooflineFactors: RooflineFactors = ${JSON.stringify(roundedNumbers(fitRoofline(pairs)))};
`,
  );
  await promisify(execFile)("npx", ["oxfmt", file], { cwd: root });
}

/** Four digits: far more than the errors deserve, few enough to read. */
function roundedNumbers<T extends object>(numbers: T): T {
  const entries = Object.entries(numbers).map(([name, value]) => [name, Number((value as number).toPrecision(4))]);
  return Object.fromEntries(entries) as T;
}

function print(without: string, errors: readonly RooflineError[]): void {
  for (const kind of ["prefill", "decode"] as const) {
    for (const mixture of [false, true]) {
      const some = errors.filter((one) => one.kind === kind && (one.pair.shape.experts !== undefined) === mixture);
      const sizes = some.map(({ error }) => Math.abs(error));
      const worst = some.reduce((one, other) => (Math.abs(other.error) > Math.abs(one.error) ? other : one));
      process.stdout.write(
        `roofline ${without}, ${kind}${mixture ? ", experts" : ""}: median ${percent(quantile(sizes, 0.5))}, ` +
          `worst ${percent(worst.error)} (${nameOf(worst.pair)})\n`,
      );
    }
  }
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
