import type { CanonicalValue } from "../base/index.ts";
import type { RunningCloud } from "../boot/index.ts";
import type { Settings } from "../config/index.ts";
import { Address, type Head, type Reader } from "../engine/index.ts";
import { readStatement, verifyReceipt } from "../receipt/index.ts";
import type { Printer } from "./printer.ts";

const question = "What is the capital of France?";
const instruction = "You are a helpful assistant.";

/** Asks one question the way a tenant would, and shows what became of it: the answer, the stages, the price, the receipt. */
export async function prove(
  cloud: RunningCloud,
  key: string,
  settings: Pick<Settings, "engine">,
  printer: Printer,
): Promise<void> {
  const [model] = cloud.models();
  if (model === undefined) {
    printer.note("Nothing serves a model yet, so nothing was asked.");
    return;
  }
  const address = new Address({
    url: cloud.url,
    connections: 1,
    connectTimeoutMs: 5_000,
    firstByteTimeoutMs: 120_000,
    idleTimeoutMs: 60_000,
  });
  try {
    printer.text(`\n  ${model} is asked: ${question}\n\n  `);
    const receipt = await ask(address, key, model, printer);
    printer.text("\n\n");
    await show(cloud, address, key, receipt, printer);
  } finally {
    await address.close();
  }
  if (settings.engine.kind === "fake") printer.text("  (The fake engine answered: no model ran.)\n");
}

async function ask(address: Address, key: string, model: string, printer: Printer): Promise<string> {
  const messages = [
    { role: "system", content: instruction },
    { role: "user", content: question },
  ];
  const body = { model, stream: true, temperature: 0, max_tokens: 48, messages };
  const headers = ["authorization", `Bearer ${key}`, "content-type", "application/json"];
  const lines = new PrintedLines(printer);
  address.send("POST", "/v1/chat/completions", headers, Buffer.from(JSON.stringify(body)), lines);
  const { status, headers: answered } = await lines.over;
  if (status !== 200) throw new Error(`the first question was answered with ${status}: ${lines.rest}`);
  return String(answered["bailiwick-receipt"]);
}

/** Prints the text of a stream's chunks as they come. */
class PrintedLines implements Reader {
  rest = "";
  readonly #printer: Printer;
  readonly #over = Promise.withResolvers<Head>();
  #head: Head | undefined;

  constructor(printer: Printer) {
    this.#printer = printer;
  }
  get over(): Promise<Head> {
    return this.#over.promise;
  }
  head(head: Head): void {
    this.#head = head;
  }
  part(bytes: Buffer): void {
    const lines = (this.rest + bytes.toString("utf8")).split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.#printer.text(textOf(line));
  }
  end(): void {
    this.#over.resolve(this.#head!);
  }
  failed(error: Error): void {
    this.#over.reject(error);
  }
}

function textOf(line: string): string {
  if (!line.startsWith("data: {")) return "";
  const chunk = JSON.parse(line.slice(6)) as { choices?: { delta?: { content?: string } }[] };
  return chunk.choices?.[0]?.delta?.content ?? "";
}

async function show(
  cloud: RunningCloud,
  address: Address,
  key: string,
  receipt: string,
  printer: Printer,
): Promise<void> {
  const { value } = await address.json("GET", `/v1/receipts/${receipt}`, {
    headers: ["authorization", `Bearer ${key}`],
  });
  const file = Buffer.from(`${JSON.stringify(value)}\n`);
  const keys = Buffer.from(cloud.jwks);
  const flipped = Buffer.from(file);
  const middle = flipped.length >> 1;
  flipped.writeUInt8(flipped.readUInt8(middle) ^ 1, middle);
  const [genuine, forged] = [verifyReceipt({ receipt: file, keys }), verifyReceipt({ receipt: flipped, keys })];
  const { payload } = value as { payload: string };
  const read = readStatement(JSON.parse(Buffer.from(payload, "base64").toString("utf8")) as CanonicalValue);
  if (read.outcome !== "read") throw new Error(read.reason);
  const { usage, price } = read.stated;
  printer.facts([
    ...stageFacts(cloud.stages()),
    [
      "tokens",
      usage === null ? "not known" : `${usage.inputTokens} in, ${usage.outputTokens} out, counted by the engine`,
    ],
    ["price", price?.listAmount == null ? "none" : `${price.listAmount} ${price.currency}`],
    ["receipt", `${receipt}: ${genuine.outcome}`],
    ["one bit flipped", `${forged.outcome}: ${forged.reason}`],
  ]);
}

const words = {
  admit: "who asks, may they, what it can cost at most",
  place: "where it may run, and where it is best",
  run: "tokens, from the engine to the client",
  count: "tokens by kind",
  record: "on disk, before the last byte leaves",
};

function stageFacts(stages: ReadonlyMap<string, number>): readonly [string, string][] {
  let beforeMs = 0;
  return Object.entries(words).map(([stage, meaning]) => {
    const overMs = stages.get(stage) ?? beforeMs;
    const tookMs = overMs - beforeMs;
    beforeMs = overMs;
    return [stage, `${tookMs.toFixed(2).padStart(8)} ms  ${meaning}`];
  });
}
