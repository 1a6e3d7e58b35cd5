/**
 * The load generator, a process of its own so that its work is not counted as a target's. It reads one round a line from
 * standard input and answers each with one line; it lives through all rounds, so that none of them meets cold code.
 */
import { createInterface } from "node:readline";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { type Arrivals, arrivalTimesMs } from "./arrivals.ts";
import type { Child } from "./children.ts";
import { type Answer, Client } from "./client.ts";
import { type Distribution, distribution } from "./statistics.ts";

export interface Round {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Events that a whole stream has; 0 for an answer that is no stream. */
  readonly eventsPerAnswer: number;
  readonly load: ClosedLoop | OpenLoop;
}

/** Every connection asks again as soon as it is answered: shows what a saturated target can do, says little of latency. */
export interface ClosedLoop {
  readonly kind: "closed";
  readonly connections: number;
  readonly durationMs: number;
}

/**
 * Requests leave when they are due, whatever became of the earlier ones, and latency counts from when they were due: a
 * target that stalls is charged for everything that waited (no coordinated omission).
 */
export interface OpenLoop extends Arrivals {
  readonly kind: "open";
}

export interface RoundResult {
  readonly requests: number;
  readonly events: number;
  /** Pieces that the events arrived in: fewer than events where a target held some back. */
  readonly pieces: number;
  readonly elapsedMs: number;
  /** Until the last byte, from when the request was due (open) or sent (closed). */
  readonly latencyMs: Distribution;
  /** How late the requests left, by this process's own doing. */
  readonly lagMs: Distribution;
  readonly failures: number;
  readonly firstFailure: string | undefined;
}

/** Runs one round in the load generator's process. */
export async function runRound(generator: Child, round: Round): Promise<RoundResult> {
  generator.writeLine(JSON.stringify(round));
  return JSON.parse(await generator.nextLine()) as RoundResult;
}

/** What happened in a round, as it happens. */
class Tally {
  readonly #eventsPerAnswer: number;
  readonly latenciesMs: number[] = [];
  readonly lagsMs: number[] = [];
  events = 0;
  pieces = 0;
  failures = 0;
  firstFailure: string | undefined;

  constructor(eventsPerAnswer: number) {
    this.#eventsPerAnswer = eventsPerAnswer;
  }

  answered(answer: Answer, latencyMs: number): void {
    const whole = answer.status === 200 && answer.events === this.#eventsPerAnswer;
    if (!whole) this.failed(`status ${answer.status}, ${answer.events} events, ${answer.excerpt}`);
    this.latenciesMs.push(latencyMs);
    this.events += answer.events;
    this.pieces += answer.pieces;
  }

  failed(reason: string): void {
    this.failures += 1;
    this.firstFailure ??= reason;
  }

  result(elapsedMs: number): RoundResult {
    return {
      requests: this.latenciesMs.length,
      events: this.events,
      pieces: this.pieces,
      elapsedMs,
      latencyMs: distribution(this.latenciesMs.length === 0 ? [0] : this.latenciesMs),
      lagMs: distribution(this.lagsMs.length === 0 ? [0] : this.lagsMs),
      failures: this.failures,
      firstFailure: this.firstFailure,
    };
  }
}

async function closedLoop(client: Client, load: ClosedLoop, tally: Tally): Promise<void> {
  const endMs = performance.now() + load.durationMs;
  const asks = Array.from({ length: load.connections }, async () => {
    while (performance.now() < endMs && tally.failures < 100) {
      const sentMs = performance.now();
      await client.ask().then(
        (answer) => tally.answered(answer, performance.now() - sentMs),
        (error: unknown) => tally.failed(String(error)),
      );
    }
  });
  await Promise.all(asks);
}

export interface PacerData {
  readonly timesMs: readonly number[];
  readonly port: MessagePort;
}

/** `startMs` is since 1970, so that both threads mean the same moment: `performance.timeOrigin` + `performance.now()`. */
type PacerMessage = { readonly startMs: number } | { readonly index: number };

/** The moments come from a thread that waits to a fraction of a millisecond; this loop's own timers cannot. */
async function openLoop(client: Client, load: OpenLoop, tally: Tally): Promise<void> {
  const timesMs = arrivalTimesMs(load);
  const { port1, port2 } = new MessageChannel();
  const workerData: PacerData = { timesMs, port: port2 };
  const pacer = new Worker(new URL("./pacer.ts", import.meta.url), { workerData, transferList: [port2] });
  const asks: Promise<void>[] = [];
  let startMs = 0;
  port1.on("message", (message: PacerMessage) => {
    if ("startMs" in message) {
      startMs = message.startMs - performance.timeOrigin;
      return;
    }
    const dueMs = startMs + timesMs[message.index]!;
    tally.lagsMs.push(performance.now() - dueMs);
    const asked = client.ask().then(
      (answer) => tally.answered(answer, performance.now() - dueMs),
      (error: unknown) => tally.failed(String(error)),
    );
    asks.push(asked);
  });
  await new Promise<void>((resolve, reject) => {
    pacer.once("error", reject);
    port1.once("close", resolve);
  });
  await Promise.all(asks);
}

async function run(round: Round): Promise<RoundResult> {
  const client = new Client(round);
  const tally = new Tally(round.eventsPerAnswer);
  try {
    await client.connect(round.load.kind === "closed" ? round.load.connections : 32);
    const startMs = performance.now();
    if (round.load.kind === "closed") await closedLoop(client, round.load, tally);
    else await openLoop(client, round.load, tally);
    return tally.result(performance.now() - startMs);
  } finally {
    client.close();
  }
}

if (import.meta.main) {
  for await (const line of createInterface({ input: process.stdin })) {
    const result = await run(JSON.parse(line) as Round);
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
}
