import assert from "node:assert/strict";
import test from "node:test";
import { withCloud } from "./testing.ts";

test("a wallet's amounts are explained where they are not seen", async (context) => {
  const { run, control } = await withCloud(context);
  const amounts = (balance: string, unbilled: string, available: string) => ({ balance, unbilled, available });
  const { wallets } = control.operations;
  const show = wallets.show.bind(wallets);
  const told = async (more: object) => {
    wallets.show = async (organisation) => {
      const found = await show(organisation);
      if ("outcome" in found) return found;
      return { ...found, items: found.items.map((wallet) => ({ ...wallet, ...more })) };
    };
    return run("wallet show acme");
  };
  const later = await told(amounts("0", "2.000244", "-2.000244"));
  assert.match(later.stdout, /^acme +EUR +no +0 +2\.000244 +–$/m);
  assert.match(later.stderr, /note: acme pays later, and has no grant in EUR: what it has used is owed\./);
  assert.equal((await run("wallet grant acme --credits 11000 --paid 0")).code, 0);
  const before = await told(amounts("11000", "2786.67", "11000"));
  assert.match(before.stderr, /do not pay for 2786\.67 EUR: it was used in a period at whose end they do not hold/);
  const plain = await told(amounts("11000", "2786.67", "8213.33"));
  assert.equal(plain.stderr, "");
});

test("movements are of the one currency that there is; of several one is asked for", async (context) => {
  const { run, control } = await withCloud(context);
  const { wallets } = control.operations;
  const show = wallets.show.bind(wallets);
  assert.equal((await run("wallet movements acme")).stderr, (await run("wallet movements acme --currency EUR")).stderr);
  wallets.show = async (organisation) => {
    const found = await show(organisation);
    if ("outcome" in found) return found;
    return { ...found, items: ["EUR", "USD"].map((currency) => ({ ...found.items[0]!, currency })) };
  };
  const many = await run("wallet movements acme");
  assert.equal(many.code, 2);
  assert.match(many.stderr, /acme has wallets in EUR, USD\. .*\n {2}next: Name one with --currency\./);
  wallets.show = async () => ({ items: [], next: null });
  assert.match((await run("wallet movements acme")).stderr, /acme has no wallet\. \(not_found\)/);
});

test("an amount that is none is told what it should be", async (context) => {
  const { run } = await withCloud(context);
  for (const [field, line] of [
    ["credits", "--credits abc --paid 1"],
    ["paid", "--credits 1 --paid 1,5"],
  ] as const) {
    const refused = await run(`wallet grant acme ${line}`);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /a decimal string such as "12\.50"/);
    assert.match(refused.stderr, new RegExp(`^error: \`${field}\` is not valid: `));
    assert.doesNotMatch(refused.stderr, /\^|\\d|pattern/);
  }
});
