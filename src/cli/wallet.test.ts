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
