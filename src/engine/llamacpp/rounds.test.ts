import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fairShares, Rounds } from "./rounds.ts";

const limits = { promptTokens: 48, promptTokensBesideDecoding: 12, promptTokensOfOne: 40 };

/** Steps that end when told to, and what has begun of them. */
class Steps {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, () => void>();

  step(name: string): Promise<void> {
    this.begun.push(name);
    return new Promise((resolve) => this.#ends.set(name, resolve));
  }

  end(name: string): void {
    this.#ends.get(name)!();
  }
}

/** Enough turns of the event loop for a round to begin. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 4; turns++) await new Promise((resolve) => setImmediate(resolve));
}

test("a round takes all that wait, and the next begins when all have ended", async () => {
  const steps = new Steps();
  const rounds = new Rounds(limits);
  const first = Promise.all(["a", "b"].map((name) => rounds.decode({ place: 0 }, () => steps.step(name))));
  await settle();
  assert.deepEqual(steps.begun, ["a", "b"]);
  const late = rounds.decode({ place: 0 }, () => steps.step("c"));
  steps.end("a");
  await settle();
  assert.deepEqual(steps.begun, ["a", "b"]);
  steps.end("b");
  await first;
  await settle();
  assert.deepEqual(steps.begun, ["a", "b", "c"]);
  steps.end("c");
  await late;
});

test("a round goes through the sequences in their order in the context", async () => {
  const rounds = new Rounds(limits);
  const places: number[] = [];
  const step = async (place: number): Promise<void> => void places.push(place);
  await Promise.all([3, 0, 2, 1].map((place) => rounds.decode({ place }, () => step(place))));
  assert.deepEqual(places, [0, 1, 2, 3]);
});

test("prompts share a budget, which is smaller beside answers that are decoded", async () => {
  const rounds = new Rounds(limits);
  const prefill = (wanted: number): Promise<number> => rounds.prefill({ place: 0 }, wanted, () => Promise.resolve());
  assert.deepEqual(await Promise.all([prefill(500), prefill(3), prefill(500)]), [23, 3, 22]);
  assert.deepEqual(await prefill(500), limits.promptTokensOfOne);
  const decoded = rounds.decode({ place: 0 }, () => Promise.resolve("token"));
  assert.deepEqual(await Promise.all([prefill(500), decoded, prefill(500)]), [6, "token", 6]);
});

test("a prompt that finds no room waits for the next round", async () => {
  const rounds = new Rounds({ ...limits, promptTokens: 2 });
  const order: number[] = [];
  await Promise.all(
    [0, 1, 2].map(async (index) =>
      order.push((await rounds.prefill({ place: 0 }, 9, () => Promise.resolve())) + index),
    ),
  );
  assert.deepEqual(order, [1, 2, 4]);
});

test("held, nothing begins; the running round ends first", async () => {
  const steps = new Steps();
  const rounds = new Rounds(limits);
  const running = rounds.decode({ place: 0 }, () => steps.step("a"));
  await settle();
  let isHeld = false;
  const holding = rounds.hold().then(() => (isHeld = true));
  const waiting = rounds.decode({ place: 0 }, () => steps.step("b"));
  await settle();
  assert.equal(isHeld, false);
  steps.end("a");
  await Promise.all([running, holding, rounds.hold()]);
  await settle();
  assert.deepEqual(steps.begun, ["a"]);
  rounds.release();
  rounds.release();
  await settle();
  steps.end("b");
  await waiting;
});

test("what was withdrawn or comes after the close is rejected, a failed step fails alone", async () => {
  const rounds = new Rounds(limits);
  const owner = { place: 0 };
  await rounds.hold();
  const withdrawn = rounds.decode(owner, () => Promise.resolve());
  rounds.withdraw(owner, new Error("gone"));
  await assert.rejects(withdrawn, /gone/);
  rounds.release();
  const failing = rounds.decode({ place: 0 }, () => Promise.reject(new Error("native")));
  const sound = rounds.decode({ place: 0 }, () => Promise.resolve(1));
  await assert.rejects(failing, /native/);
  assert.equal(await sound, 1);
  const cut = rounds.decode({ place: 0 }, () => Promise.resolve());
  const closing = rounds.close(new Error("closed"));
  await assert.rejects(cut, /closed/);
  await closing;
  await assert.rejects(
    rounds.prefill({ place: 0 }, 1, () => Promise.resolve()),
    /closed/,
  );
});

test("shares use the budget up, exceed no wish, and differ by one at most where wishes are open", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 9 }),
      fc.integer({ min: 1, max: 200 }),
      (wanted, budget) => {
        const shares = fairShares(wanted, budget);
        const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
        assert.equal(sum(shares), Math.min(budget, sum(wanted)));
        for (const [index, share] of shares.entries()) assert.ok(share <= wanted[index]!);
        const open = shares.filter((share, index) => share < wanted[index]!);
        assert.ok(open.length === 0 || Math.max(...shares) - Math.min(...open) <= 1);
      },
    ),
  );
});
