import { type Clock, isId, systemClock } from "../base/index.ts";
import { answerForm } from "../meaning/index.ts";
import { type Asking, fetchDigestKey } from "./cloud.ts";
import { EndHold, EndMark, watched } from "./handing.ts";
import { Judging, unverified } from "./judging.ts";
import { type DigestSecret, digestSecretIn, Measure, measured } from "./measure.ts";
import type { PinStore } from "./pins.ts";
import { type Sent, sentBy } from "./sent.ts";
import { trustIn } from "./trust.ts";
import { type AnswerVerdict, UnverifiedAnswer, Wrong } from "./verdict.ts";

export interface VerifyingOptions {
  /** The log's verifier keys (name+id+key), as the operator publishes them. Everything else is believed by these. */
  readonly logKeys: readonly string[];
  /** Where the newest checkpoint is kept: `memoryPins()`, `browserPins(localStorage)`, `filePins(folder)`, or your own. */
  readonly pins: PinStore;
  /** Witnesses of whom `quorum` (default: all) must have cosigned. */
  readonly witnesses?: { readonly keys: readonly string[]; readonly quorum?: number };
  /** The jurisdiction of each site as you know it: a receipt may name no other site, and none elsewhere. */
  readonly sites?: Readonly<Record<string, string>>;
  /** The project that receipts must be for. */
  readonly tenant?: string;
  /** An answer's end is handed on once it is verified; one that does not verify ends with an `UnverifiedAnswer`. */
  readonly strict?: boolean;
  /** Hears of each answer. */
  readonly onVerdict?: (verdict: AnswerVerdict) => void;
  /** How long a receipt, its proof and the log's tiles are waited for, behind an answer's end; default: 10 seconds. */
  readonly waitMs?: number;
  /** How far the cloud's clock may be from this one; default: 5 minutes. */
  readonly skewMs?: number;
  /** What calls the cloud; default: the platform's own. */
  readonly fetch?: typeof globalThis.fetch;
}

/** A `fetch` for an OpenAI client. */
export interface Verifying {
  (input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Resolves once all that was begun so far is told of. */
  settled(): Promise<void>;
}

const standardWaitMs = 10_000;
const standardSkewMs = 300_000;

/** Digest keys of so many projects are kept. */
const secretsMax = 1_000;

/** Wraps `fetch`: what has a receipt is verified, everything else passes. Throws a `TypeError` where a key is none. */
export function verifying(options: VerifyingOptions, clock: Clock = systemClock): Verifying {
  const wrapper = new Wrapper(options, clock);
  const call = (input: string | URL | Request, init?: RequestInit): Promise<Response> => wrapper.call(input, init);
  return Object.assign(call, { settled: () => wrapper.settled() });
}

class Wrapper {
  readonly #options: VerifyingOptions;
  readonly #fetch: typeof globalThis.fetch;
  readonly #clock: Clock;
  readonly #judging: Judging;
  /** Digest keys by where and with which credentials they were asked for. */
  readonly #secrets = new Map<string, Promise<DigestSecret>>();
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: VerifyingOptions, clock: Clock) {
    this.#options = options;
    // In a browser `fetch` may be called as the window's own only.
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.#clock = clock;
    const { logKeys, witnesses, pins, sites, tenant, skewMs = standardSkewMs } = options;
    const trust = trustIn(logKeys, witnesses);
    if (trust.logs.length === 0) throw new TypeError("logKeys names no key of a log");
    const known = sites === undefined ? undefined : new Map(Object.entries(sites));
    this.#judging = new Judging({ clock, trust, pins, sites: known, tenant, skewMs });
  }

  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  async call(input: string | URL | Request, init: RequestInit | undefined): Promise<Response> {
    const sent = await sentBy(input, init);
    if (sent === undefined) return this.#fetch(input, init);
    const startedAtMs = this.#clock.nowMs();
    const secret = this.#secretOf(sent);
    const response = await this.#fetch(input, init);
    const receipt = response.headers.get("bailiwick-receipt") ?? undefined;
    if (receipt === undefined) return this.#withoutReceipt(sent, response);
    return this.#watched(sent, response, { receipt, startedAtMs, secret: await secret });
  }

  #watched(
    sent: Sent,
    response: Response,
    { receipt, startedAtMs, secret }: { receipt: string; startedAtMs: number; secret: DigestSecret | Wrong },
  ): Response {
    const { strict = false } = this.#options;
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
    const marks = isStream ? answerForm(sent.endpoint)?.lastFrames : undefined;
    const hold = strict ? new EndHold(marks) : undefined;
    const mark = new EndMark(marks ?? []);
    const measure = secret instanceof Wrong ? undefined : new Measure(secret);
    const judged = async (): Promise<AnswerVerdict> => {
      if (secret instanceof Wrong) throw secret;
      // It becomes a part of a path that is asked for with the client's own credentials.
      if (!isId("rcpt", receipt)) throw new Wrong("invalid", "what it names as its receipt is none");
      if (sent.body === undefined)
        throw new Wrong("unchecked", "its request was no text and no bytes, which nobody has kept");
      const found = { request: measured(secret, sent.body), response: measure!.found() };
      return this.#inTime(sent, (asking) => this.#judging.judge({ sent, receipt, startedAtMs, ...found }, asking));
    };
    let isOver = false;
    return watched(
      response,
      {
        part: (bytes) => {
          measure?.update(bytes);
          mark.see(bytes);
        },
        get isComplete() {
          return mark.isSeen;
        },
        end: async () => {
          isOver = true;
          const told = this.#tell(sent, receipt, judged);
          if (!strict) return;
          const verdict = await told;
          if (verdict.outcome !== "valid") throw new UnverifiedAnswer(verdict);
        },
        broken: () => {
          if (isOver) return;
          isOver = true;
          const broken = new Wrong("unchecked", "it was not read to its end");
          void this.#tell(sent, receipt, () => Promise.reject(broken));
        },
      },
      hold,
    );
  }

  /** A refusal comes before anything runs and has no receipt; an answer has one. */
  async #withoutReceipt(sent: Sent, response: Response): Promise<Response> {
    const wrong = response.ok
      ? new Wrong("invalid", "it came without a receipt")
      : new Wrong("unchecked", `it was refused with ${response.status}, and nothing of it is on record`);
    const verdict = await this.#tell(sent, undefined, () => Promise.reject(wrong));
    if (this.#options.strict !== true || !response.ok) return response;
    await response.body?.cancel();
    const { status, statusText, headers } = response;
    const failing = new ReadableStream({ pull: (controller) => controller.error(new UnverifiedAnswer(verdict)) });
    return new Response(failing, { status, statusText, headers });
  }

  #tell(sent: Sent, receipt: string | undefined, judged: () => Promise<AnswerVerdict>): Promise<AnswerVerdict> {
    const told = judged()
      .catch((error: unknown) => unverified(error, { url: sent.url, receipt }))
      .then((verdict) => {
        // It may have been the digest key that was not the project's: the next answer asks for it anew.
        if (verdict.outcome !== "valid") this.#secrets.delete(placeOf(sent));
        this.#options.onVerdict?.(verdict);
        return verdict;
      });
    this.#running.add(told);
    // What a callback throws is not caught here: whoever waits for it hears of it, and else the process.
    void told.finally(() => this.#running.delete(told));
    return told;
  }

  /** Asked for while the answer is computed. A failure is the verdict's, and another answer asks again. */
  #secretOf({ root, credentials }: Sent): Promise<DigestSecret | Wrong> {
    const name = placeOf({ root, credentials });
    let secret = this.#secrets.get(name);
    if (secret === undefined) {
      secret = this.#inTime({ root, credentials }, async (asking) => digestSecretIn(await fetchDigestKey(asking)));
      this.#secrets.set(name, secret);
      secret.catch(() => this.#secrets.delete(name));
      if (this.#secrets.size > secretsMax) this.#secrets.delete(this.#secrets.keys().next().value!);
    }
    return secret.catch((error: unknown) => (error instanceof Wrong ? error : new Wrong("unchecked", String(error))));
  }

  async #inTime<T>(
    { root, credentials }: Pick<Sent, "root" | "credentials">,
    run: (asking: Asking) => Promise<T>,
  ): Promise<T> {
    const ending = new AbortController();
    const cancel = this.#clock.after(this.#options.waitMs ?? standardWaitMs, () => ending.abort());
    try {
      return await run({ fetch: this.#fetch, clock: this.#clock, root, credentials, signal: ending.signal });
    } finally {
      cancel();
    }
  }
}

function placeOf({ root, credentials }: Pick<Sent, "root" | "credentials">): string {
  return JSON.stringify([root, credentials]);
}
