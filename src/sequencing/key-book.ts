import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../base/index.ts";
import { writeWhole } from "../installation/index.ts";
import { formatVerifierKey, type LogKey, verifierKeyOf } from "../log/index.ts";
import {
  formatKeyStatement,
  type KeyFolder,
  type KeyStatement,
  openKeyFolder,
  parseKeyStatement,
  type SigningKeys,
  type StatedLogKey,
  type StatedReceiptKey,
} from "../receipt/index.ts";

export interface KeyBookOptions {
  /** The data folder. */
  readonly data: string;
  readonly signing: SigningKeys;
  readonly clock: Clock;
}

/** Changes that a new statement is to tell of, beside what the folders of keys show. */
interface Changes {
  /** A receipt key that is revoked by it. */
  readonly revoked?: string;
  /** When the log's keys that are not the newest sign no more. */
  readonly retiresAtMs?: number;
}

/**
 * The operator's keys, and every statement that was made about them: files that are never changed, numbered from 1. The
 * folders of keys say which keys there are; the last statement says since when each is what it is.
 */
export class KeyBook {
  readonly #options: KeyBookOptions;
  readonly #folder: string;
  readonly #logKeys: KeyFolder;
  #latest: KeyStatement | undefined;

  constructor(options: KeyBookOptions) {
    this.#options = options;
    this.#folder = join(options.data, "key-statements");
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    this.#logKeys = openKeyFolder(join(options.data, "log-keys"), options.clock.nowMs());
    const numbers = readdirSync(this.#folder).flatMap((name) => /^([1-9]\d{0,8})\.json$/.exec(name)?.[1] ?? []);
    const last = Math.max(0, ...numbers.map(Number));
    if (last > 0) this.#latest = parseKeyStatement(this.read(last)!);
    if (last > 0 && this.#latest === undefined) throw new Error(`${this.#path(last)} is no key statement`);
  }

  get latest(): KeyStatement | undefined {
    return this.#latest;
  }

  /** A statement's bytes; undefined where there is none of that number. */
  read(number: number): Buffer | undefined {
    const path = this.#path(number);
    return existsSync(path) ? readFileSync(path) : undefined;
  }

  /** The keys that sign the log of this name now. One that is on its way out signs until the time that was stated. */
  signingLog(origin: string): readonly LogKey[] {
    const nowMs = this.#options.clock.nowMs();
    return this.#logKeys.keys.flatMap(({ privateKey }, place): readonly LogKey[] => {
      if (place === 0) return [{ privateKey }];
      const stated = this.#latest?.logKeys.find(({ key }) => key === verifierText(origin, privateKey));
      const untilMs = stated === undefined ? 0 : Date.parse(stated.since);
      return untilMs > nowMs ? [{ privateKey, untilMs }] : [];
    });
  }

  /** As verifiers take them, the newest first: of the keys that sign now. */
  verifierKeys(origin: string): readonly string[] {
    return this.signingLog(origin).map(({ privateKey }) => verifierText(origin, privateKey));
  }

  /** A new key for the log, which signs from now on: `state` tells of it. */
  makeLogKey(): void {
    this.#logKeys.make(this.#options.clock.nowMs());
  }

  /**
   * Writes the next statement where the keys are not what the last one says. `indexOf`: at which index of which log an
   * earlier statement is an entry, which settles from where on its revocations hold.
   */
  state(
    origin: string,
    indexOf: (statement: number) => { readonly log: string; readonly index: number } | undefined,
    changes: Changes = {},
  ): KeyStatement {
    const before = this.#latest;
    const nowMs = this.#options.clock.nowMs();
    const stated = {
      receiptKeys: this.#receiptKeys(origin, nowMs, before && indexOf(before.number), changes),
      logKeys: this.#statedLogKeys(origin, nowMs, changes),
    };
    if (before !== undefined && isSame(before, stated)) return before;
    const previous =
      before === undefined ? null : createHash("sha256").update(formatKeyStatement(before)).digest("hex");
    const statedAt = new Date(nowMs).toISOString();
    const next: KeyStatement = { v: 1, number: (before?.number ?? 0) + 1, previous, statedAt, ...stated };
    writeWhole(this.#path(next.number), formatKeyStatement(next).toString(), 0o600);
    this.#latest = next;
    return next;
  }

  #receiptKeys(
    origin: string,
    nowMs: number,
    logged: { readonly log: string; readonly index: number } | undefined,
    { revoked }: Changes,
  ): readonly StatedReceiptKey[] {
    const before = this.#latest?.receiptKeys ?? [];
    const { all } = this.#options.signing;
    const here = all.map(({ id, x }, place): StatedReceiptKey => {
      const known = before.find((key) => key.id === id);
      if (id === revoked)
        return { id, x, status: "revoked", since: timeOf(nowMs), revoked: { log: origin, index: null } };
      const status = place === 0 ? "active" : "retired";
      return known?.status === status ? known : { id, x, status, since: timeOf(nowMs), revoked: null };
    });
    // What is not in the folder any more was revoked, or taken away: it is told of for ever.
    const gone = before
      .filter(({ id }) => all.every((key) => key.id !== id))
      .map((key): StatedReceiptKey => {
        if (key.status === "active") return { ...key, status: "retired", since: timeOf(nowMs) };
        return key.revoked?.index === null && logged !== undefined ? { ...key, revoked: logged } : key;
      });
    return [...here, ...gone];
  }

  #statedLogKeys(origin: string, nowMs: number, { retiresAtMs = nowMs }: Changes): readonly StatedLogKey[] {
    const before = this.#latest?.logKeys ?? [];
    const here = this.#logKeys.keys.map(({ privateKey }, place): StatedLogKey => {
      const key = verifierText(origin, privateKey);
      const known = before.find((each) => each.key === key);
      if (place === 0) return known?.status === "active" ? known : { key, status: "active", since: timeOf(nowMs) };
      return known?.status === "retired" ? known : { key, status: "retired", since: timeOf(retiresAtMs) };
    });
    const gone = before
      .filter(({ key }) => here.every((each) => each.key !== key))
      .map((key): StatedLogKey =>
        key.status === "active" ? { ...key, status: "retired", since: timeOf(nowMs) } : key,
      );
    return [...here, ...gone];
  }

  #path(number: number): string {
    return join(this.#folder, `${number}.json`);
  }
}

function verifierText(origin: string, privateKey: LogKey["privateKey"]): string {
  return formatVerifierKey(verifierKeyOf("ed25519", { name: origin, privateKey }));
}

function timeOf(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/** A revocation whose index has become known is nothing new by itself. */
function isSame(a: Pick<KeyStatement, "receiptKeys" | "logKeys">, b: Pick<KeyStatement, "receiptKeys" | "logKeys">) {
  const said = ({ receiptKeys, logKeys }: typeof a): string =>
    JSON.stringify([receiptKeys.map(({ id, status, since }) => [id, status, since]), logKeys]);
  return said(a) === said(b);
}
