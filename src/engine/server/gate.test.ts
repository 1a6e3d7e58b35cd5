import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Gate } from "./gate.ts";

/** A program that obeys after a while, and what it was told. */
class Obedient {
  state: "running" | "held" = "running";
  orders = 0;
  readonly delays: readonly number[];

  constructor(delays: readonly number[]) {
    this.delays = delays;
  }

  async become(state: "running" | "held"): Promise<void> {
    assert.notEqual(this.state, state, "it is told nothing twice");
    const turns = this.delays[this.orders++ % this.delays.length]!;
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    this.state = state;
  }
}

test("whenever orders come, the last one holds, and a hold that stood resolves to a program that is held", async () => {
  const delays = fc.array(fc.nat(4), { minLength: 1, maxLength: 5 });
  const steps = fc.array(fc.record({ order: fc.constantFrom("hold", "release"), waits: fc.nat(6) }), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(delays, steps, async (delays, steps) => {
      const program = new Obedient(delays);
      const gate = new Gate({ hold: () => program.become("held"), release: () => program.become("running") }, (error) =>
        assert.fail(String(error)),
      );
      for (const { order, waits } of steps) {
        if (order === "hold") void gate.hold();
        else gate.release();
        for (let turn = 0; turn < waits; turn++) await Promise.resolve();
      }
      await gate.hold();
      assert.equal(program.state, "held");
      gate.release();
      await gate.hold();
      assert.equal(program.state, "held");
    }),
    { numRuns: 500 },
  );
});

test("an order that is not obeyed is told of, and nobody waits for ever", async () => {
  const told: unknown[] = [];
  const gate = new Gate(
    { hold: () => Promise.reject(new Error("no")), release: () => Promise.resolve() },
    (error) => void told.push(error),
  );
  await gate.hold();
  gate.release();
  assert.equal(told.length, 1);
});
