import assert from "node:assert/strict";
import test from "node:test";
import { refuse } from "../base/index.ts";
import { withCloud } from "./testing.ts";

for (const [what, command] of [
  ["a grant", "wallet grant acme --credits 11000 --paid 10000"],
  ["a credit", "invoice credit INV-2026-000001 --reason Outage"],
  ["a part payment", "invoice pay INV-2026-000001 --amount 5"],
  ["a refund", "invoice refund INV-2026-000001"],
] as const) {
  test(`${what} of which no answer tells can be asked for again by the id that is named`, async (context) => {
    const { run, control } = await withCloud(context);
    const { wallets, books } = control.operations;
    const ids: (string | undefined)[] = [];
    const lost = refuse("database_unavailable", "The database cannot be reached.");
    wallets.grant = ({ id }) => (ids.push(id), Promise.resolve(lost));
    books.credit = ({ id }) => (ids.push(id), Promise.resolve(lost));
    books.pay = ({ id }) => (ids.push(id), Promise.resolve(lost));
    books.refund = ({ id }) => (ids.push(id), Promise.resolve(lost));
    const first = await run(command);
    assert.equal(first.code, 2);
    const [, named] = /ask again with --id (\w+), and it is done once/.exec(first.stderr) ?? [];
    assert.equal(named, ids[0]);
    await run(command);
    assert.notEqual(ids[1], ids[0], "another one has another id");
    await run(`${command} --id ${named}`);
    assert.equal(ids[2], named);
    const refused = refuse("invalid_request", "No.");
    wallets.grant = () => Promise.resolve(refused);
    books.credit = () => Promise.resolve(refused);
    books.pay = () => Promise.resolve(refused);
    books.refund = () => Promise.resolve(refused);
    assert.doesNotMatch((await run(command)).stderr, /--id/, "what was refused was not done");
  });
}
