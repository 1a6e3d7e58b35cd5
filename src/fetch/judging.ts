import { type Clock, sleep } from "../base/index.ts";
import { checkConsistency, openCheckpoint, parseProof } from "../log/index.ts";
import type { FoundDigest, Stated } from "../receipt/index.ts";
import { type Asked, type Verdict, verify } from "../verification/index.ts";
import { type Asking, fetchAboutLog, fetchKeyStatement, fetchProof, fetchReceipt, tilesOf } from "./cloud.ts";
import type { PinStore } from "./pins.ts";
import type { Sent } from "./sent.ts";
import type { Trust } from "./trust.ts";
import { type AnswerVerdict, Wrong } from "./verdict.ts";

/** An answer that has come to its end, and what was found of its bytes. */
export interface Ended {
  readonly sent: Sent;
  readonly receipt: string;
  readonly request: FoundDigest;
  readonly response: FoundDigest;
  readonly startedAtMs: number;
}

export interface JudgingOptions {
  readonly clock: Clock;
  readonly trust: Trust;
  readonly pins: PinStore;
  readonly sites: ReadonlyMap<string, string> | undefined;
  readonly tenant: string | undefined;
  /** How far the cloud's clock may be from this one. */
  readonly skewMs: number;
}

/** What the operator says of its keys is asked for again after so long. */
const keysAgeMs = 60_000;
/** No sooner than after so long, also where a receipt's key is not among them. */
const keysFreshMs = 2_000;
/** How often that is, for one answer: a key may sign for a moment before the log has it. */
const keysAskedAnewMax = 2;
/** Receipts that were seen lately: none is taken for two answers. */
const seenMax = 10_000;

/** What the operator says of its keys, and when it was asked. */
interface KeysSaid {
  readonly atMs: number;
  readonly statement: Promise<Buffer>;
}

/** Holds answers against their receipts, one after the other where the pinned checkpoint is read and moved. */
export class Judging {
  readonly #options: JudgingOptions;
  readonly #statements = new Map<string, KeysSaid>();
  readonly #seen = new Set<string>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: JudgingOptions) {
    this.#options = options;
  }

  async judge(ended: Ended, asking: Asking): Promise<AnswerVerdict> {
    const { sent, receipt: id } = ended;
    this.#seeOnce(id);
    // One after the other: of several that are missing, the first is told, always.
    const receipt = await fetchReceipt(asking, id);
    const proof = await fetchProof(asking, id);
    const known = this.#keysSaid(asking, keysAgeMs);
    const {
      verdict,
      proof: held,
      pinned,
      keys,
    } = await this.#byNewerKeys(asking, known, (keys) =>
      this.#inTurn(() => this.#holdAgainst(ended, asking, receipt, keys, proof)),
    );
    if (verdict.outcome === "valid") this.#checkCall(verdict.stated, ended);
    const isFork = verdict.outcome !== "valid" && verdict.isFork;
    return {
      outcome: verdict.outcome,
      reason: verdict.reason,
      url: sent.url,
      receipt: id,
      checked: [...verdict.checked, ...(verdict.outcome === "valid" ? ["call"] : [])],
      stated: verdict.outcome === "valid" ? verdict.stated : undefined,
      asOf: verdict.outcome === "valid" ? verdict.asOf : undefined,
      files: { receipt: receipt.toString(), proof: held.toString(), keyStatement: keys.toString() },
      forked: isFork ? { pinned: pinned!, shown: checkpointIn(held).toString() } : undefined,
    };
  }

  /** A key that nobody has stated so far may have come since: what the operator says of its keys is asked for anew. */
  async #byNewerKeys<T extends { readonly verdict: Verdict }>(
    asking: Asking,
    first: KeysSaid,
    judge: (keys: Buffer) => Promise<T>,
  ): Promise<T> {
    let known = first;
    let found = await judge(await known.statement);
    for (let asked = 0; asked < keysAskedAnewMax && isKeyUnknown(found.verdict); asked += 1) {
      const { clock } = this.#options;
      const hasNewer = (this.#statements.get(asking.root) ?? known) !== known;
      if (!hasNewer) await sleep(clock, Math.max(0, known.atMs + keysFreshMs - clock.monotonicMs()));
      if (asking.signal.aborted) return found;
      known = this.#keysSaid(asking, hasNewer ? keysAgeMs : keysFreshMs);
      found = await judge(await known.statement);
    }
    return found;
  }

  #seeOnce(id: string): void {
    if (this.#seen.has(id)) throw new Wrong("invalid", "its receipt is the one of an answer before");
    this.#seen.add(id);
    const [oldest] = this.#seen;
    if (this.#seen.size > seenMax) this.#seen.delete(oldest!);
  }

  /** Several answers at once would each move the pin from where they found it. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(run);
    // Who asked hears of a failure; the next one is judged by what is known.
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #holdAgainst(ended: Ended, asking: Asking, receipt: Buffer, keys: Buffer, first: Buffer) {
    const { pins, trust, sites, tenant } = this.#options;
    const { origin } = this.#open(checkpointIn(first));
    const pinned = await pins.read(origin);
    const proof = await this.#asNewAs(pinned, first, ended.receipt, asking);
    const asked: Asked = {
      receipt,
      keys,
      proof,
      logs: trust.logs,
      request: ended.request,
      response: ended.response,
      readTile: tilesOf(asking),
      ...(trust.witnesses === undefined ? {} : { witnesses: trust.witnesses }),
      ...(pinned === undefined ? {} : { pinned: Buffer.from(pinned) }),
      ...(sites === undefined ? {} : { sites }),
      ...(tenant === undefined ? {} : { tenant }),
    };
    const verdict = await verify(asked);
    if (verdict.outcome === "valid") await this.#move(pinned, proof, keys, asking);
    return { verdict, proof, pinned, keys };
  }

  /** A proof of no older checkpoint than the pinned one: another answer may have moved it meanwhile. */
  async #asNewAs(pinned: string | undefined, first: Buffer, id: string, asking: Asking): Promise<Buffer> {
    if (pinned === undefined) return first;
    const { size } = this.#open(Buffer.from(pinned));
    return this.#open(checkpointIn(first)).size < size ? fetchProof(asking, id) : first;
  }

  /** Pins the proof's checkpoint, once what the operator says of its keys is known to stand in the same log. */
  async #move(pinned: string | undefined, proof: Buffer, keys: Buffer, asking: Asking): Promise<void> {
    const shown = checkpointIn(proof);
    const { origin, size } = this.#open(shown);
    const log = this.#options.trust.logs.find((each) => each.origin === origin)!;
    const of = checkpointIn(keys);
    if (this.#open(of).origin === origin) {
      const found = await checkConsistency({ log, seen: of, shown, readTile: tilesOf(asking) });
      if (found.outcome === "forked") throw new Wrong("invalid", `its key statement is of a fork: ${found.reason}`);
      if (found.outcome !== "consistent" && found.outcome !== "older") throw new Wrong("unchecked", found.reason);
    }
    const before = pinned === undefined ? -1 : this.#open(Buffer.from(pinned)).size;
    if (size > before) await this.#options.pins.write(origin, shown.toString());
  }

  #open(checkpoint: Buffer): { readonly origin: string; readonly size: number } {
    const opened = openCheckpoint(checkpoint, this.#options.trust.logs);
    if (opened.outcome === "signed") return opened.checkpoint;
    throw new Wrong("invalid", `a checkpoint does not count: ${opened.reason}`);
  }

  #keysSaid(asking: Asking, ageMs: number): KeysSaid {
    const { clock } = this.#options;
    const known = this.#statements.get(asking.root);
    if (known !== undefined && clock.monotonicMs() - known.atMs < ageMs) return known;
    const statement = fetchAboutLog(asking).then(({ keyStatement }) => fetchKeyStatement(asking, keyStatement));
    const said = { atMs: clock.monotonicMs(), statement };
    this.#statements.set(asking.root, said);
    statement.catch(() => {
      if (this.#statements.get(asking.root) === said) this.#statements.delete(asking.root);
    });
    return said;
  }

  /** Whether the receipt is that of this call: what is valid can still be another answer's, or a part of this one's. */
  #checkCall(stated: Stated, { sent, receipt, startedAtMs }: Ended): void {
    const { skewMs, clock } = this.#options;
    if (stated.receipt !== receipt)
      throw new Wrong("invalid", `it is the receipt ${stated.receipt}, not the one that was named`);
    if (stated.endpoint !== sent.endpoint) throw new Wrong("invalid", `it is for an answer of ${stated.endpoint}`);
    if (stated.responseDigest?.complete !== true) throw new Wrong("invalid", "it says that only a part was sent");
    checkNarrowing(stated, sent.narrowing);
    const isOfNow =
      Date.parse(stated.startedAt) >= startedAtMs - skewMs && Date.parse(stated.endedAt) <= clock.nowMs() + skewMs;
    if (!isOfNow) throw new Wrong("invalid", `it is for a request of another time, ${stated.startedAt}`);
  }
}

/** Whoever takes a header away on the way has the request run where it was not to. */
function checkNarrowing({ policy }: Stated, sent: Sent["narrowing"]): void {
  for (const [header, text] of Object.entries(sent)) {
    const name = header.replace(/^bailiwick-/, "").replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    const said = policy.narrowing?.[name];
    if (said === text || said === null) continue;
    throw new Wrong("invalid", `it does not say what the header ${header} said`);
  }
}

function isKeyUnknown(verdict: Verdict): boolean {
  return verdict.outcome !== "valid" && verdict.isKeyUnknown;
}

function checkpointIn(proof: Buffer): Buffer {
  const parsed = parseProof(proof);
  if (parsed.outcome === "read") return parsed.proof.checkpoint;
  throw new Wrong("invalid", `a proof is malformed: ${parsed.reason}`);
}

/** What was found of an answer that never came to be verified. */
export function unverified(
  error: unknown,
  { url, receipt }: { readonly url: string; readonly receipt: string | undefined },
): AnswerVerdict {
  // What fails for another reason, a pin's file for instance, leaves the answer unchecked; it ends nobody's process.
  const { outcome, reason } =
    error instanceof Wrong
      ? { outcome: error.outcome, reason: error.message }
      : { outcome: "unchecked" as const, reason: `it could not be checked: ${String(error)}` };
  const nothing = { checked: [], stated: undefined, asOf: undefined, files: undefined, forked: undefined };
  return { outcome, reason, url, receipt, ...nothing };
}
