import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { goldenParties } from "../../src/invoicing/testing.ts";
import { control } from "./asking.ts";
import { commandFails, eventually, type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";
import { ownPrices, settingsPrices } from "./own-prices.ts";

const folder = temporaryFolder();
const { seller, payment, buyers } = goldenParties;
const { customer: _customer, ...party } = buyers[0]!;
// A start asks itself once, at the settings' prices, which the price book may not change.
const settings = JSON.stringify({
  billing: { seller, payment },
  prices: settingsPrices,
});
const now = new Date();
const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1)).toISOString().slice(0, 7);
const names = Array.from({ length: 60 }, (_each, at) => `customer-${at}`);
const book = {
  currency: "EUR",
  versions: [
    {
      version: "1",
      effectiveFrom: "2020-01-01",
      prices: [{ sku: "seats", unitPrice: "20" }, ...ownPrices],
    },
  ],
  jurisdiction: "CN",
  taxes: [{ jurisdiction: "CN", percent: 6 }],
};

let cloud: RunningCloud;

interface Settled {
  readonly invoice: string;
  readonly id: string | null;
  readonly amount: string;
  readonly currency: string;
  readonly state: string;
  readonly paid: string;
  readonly open: string;
}

const settled = { currency: "EUR", state: "final" };

interface Listed {
  readonly id: string;
  readonly state: string;
  readonly number: string | null;
  readonly organisation: { readonly name: string };
}

before(async () => {
  cloud = await startCloud({ data: join(folder.path, "data"), arguments: ["--engine", "fake"], settings });
  for (const name of names) await control(cloud, "POST", "/organisations", { name });
  await control(cloud, "PUT", "/price-book", { basedOn: 0, document: book, note: "seats" });
  const records = names.map((customer, at) => {
    return { id: "1", source: "/s", customer, time: `${month}-10T12:00:00Z`, sku: "seats", quantity: at + 1 };
  });
  await control(cloud, "POST", "/usage", records);
  await cloud.command("ledger", "close", month);
});

after(async () => {
  await cloud.stop();
  folder.remove();
});

const listed = async (): Promise<readonly Listed[]> => cloud.command<Listed[]>("invoice", "list", "--period", month);

test("who a customer is is said by a file; what it lacks is told, and no number is taken", async () => {
  const path = join(folder.path, "party.json");
  writeFileSync(path, JSON.stringify({ name: "Acme" }));
  const refused = await commandFails(["org", "party", "set", names[0]!, path, "--data", cloud.data]);
  assert.match(refused.stderr, /country/);
  writeFileSync(path, JSON.stringify(party));
  assert.deepEqual(await cloud.command("org", "party", "set", names[0]!, path), party);
  assert.deepEqual(await cloud.command("org", "party", "show", names[0]!), party);
  const { code, stdout, stderr } = await commandFails(["invoice", "finalize", "--period", month, "--data", cloud.data]);
  assert.deepEqual([code, stdout], [1, `1 invoice is final, ${names.length - 1} stay drafts.\n`]);
  assert.match(stderr, /the party of customer-1 \(/);
});

test("a draft is shown as the PDF of what it would become, and is still a draft; formats of invoices are refused", async () => {
  const [id] = (await listed()).filter(({ state }) => state === "draft").map((each) => each.id);
  const [out, many] = [join(folder.path, "draft.pdf"), join(folder.path, "drafts")];
  interface Shown {
    readonly drafts: readonly { readonly file: string; readonly missing: readonly string[] }[];
  }
  const { drafts } = await cloud.command<Shown>("invoice", "render", id!, "--preview", "--out", out);
  assert.equal(drafts.length, 1);
  assert.match(drafts[0]!.missing.join(" "), /the party of customer-/);
  const pdf = readFileSync(out, "latin1");
  assert.ok(pdf.startsWith("%PDF-1.7") && pdf.includes("(Draft of an invoice, without a number)"));
  const all = await cloud.command<Shown>("invoice", "render", "--period", month, "--preview", "--out", many);
  assert.deepEqual([all.drafts.length, readdirSync(many).length], [names.length - 1, names.length - 1]);
  assert.equal((await listed()).filter(({ state }) => state === "draft").length, names.length - 1);
  const refusedOf = async (...args: readonly string[]): Promise<string> => {
    const { code, stderr } = await commandFails(["invoice", "render", ...args, "--preview", "--data", cloud.data]);
    return `${code} ${stderr}`;
  };
  assert.match(await refusedOf(id!, "--out", many, "--format", "ubl"), /^2 .*--preview writes PDF alone/);
  assert.match(await refusedOf(id!, "--out", join(many, "x.xml")), /^2 .*--preview writes PDF alone/);
  assert.match(await refusedOf("--period", month, "--out", out), /^2 .*a file holds one draft/);
  assert.match(await refusedOf("--period", "2020-01", "--out", many), /^2 .*No invoice of 2020-01 is a draft/s);
  const [final] = (await listed()).filter(({ state }) => state === "final");
  assert.match(await refusedOf(final!.number!, "--out", many), /^2 .*invoice_state/s);
});

test("killed while a period's invoices become final, and started again: no number is missing, none is there twice", async () => {
  for (const name of names.slice(2)) await control(cloud, "PUT", `/organisations/${name}/party`, party);
  await control(cloud, "PUT", `/organisations/${names[1]}/party`, { ...party, name: "汉字有限公司 𠮷" });
  const running = control(cloud, "POST", `/ledger/periods/${month}/finalize`, {}).then(
    () => "done",
    () => "cut",
  );
  const count = async (): Promise<number> => {
    const { items } = await control<{ items: unknown[] }>(cloud, "GET", "/invoice-documents?limit=1000");
    return items.length;
  };
  await eventually("some are final", async () => (await count()) > 5);
  await cloud.kill();
  await running;
  cloud = await startCloud({ data: cloud.data, arguments: ["--engine", "fake"], settings });
  await cloud.command("invoice", "finalize", "--period", month);
  const rows = await listed();
  assert.deepEqual(
    rows.map(({ number }) => Number(/^INV-\d{4}-(\d{6})$/.exec(number ?? "")?.[1])).toSorted((a, b) => a - b),
    names.map((_each, at) => at + 1),
  );
});

test("what was issued is written as one file, or as all of a period into a folder, and as FOCUS", async () => {
  // Invoices of one close are in no order; the second customer's name has a character that no font here has.
  const first = (await listed()).find(({ organisation }) => organisation.name !== names[1]);
  const out = join(folder.path, "one.xml");
  const made = await cloud.command<{ number: string }>(
    "invoice",
    "render",
    first!.id,
    "--format",
    "xrechnung",
    "--out",
    out,
  );
  assert.equal(made.number, first!.number);
  const all = ["--period", month, "--format", "json", "--out", join(folder.path, "all")];
  const { invoices } = await cloud.command<{ invoices: unknown[] }>("invoice", "render", ...all);
  assert.equal(invoices.length, names.length);
  const odd = await cloud.command<{ number: string }[]>("invoice", "list", "--organisation", names[1]!);
  const some = ["--period", month, "--format", "pdf", "--out", join(folder.path, "pdf"), "--json"];
  const partly = await commandFails(["invoice", "render", ...some, "--data", cloud.data]);
  const told = JSON.parse(partly.stdout) as { invoices: unknown[]; failed: { number: string; code: string }[] };
  assert.deepEqual([partly.code, told.invoices.length], [2, names.length - 1]);
  assert.deepEqual(
    told.failed.map(({ number, code }) => [number, code]),
    [[odd[0]!.number, "format_unsupported"]],
  );
  assert.match(partly.stderr, /1 of 60 could not be written; the others were.*No font here has/);
  const refusedOf = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await commandFails(["invoice", "render", ...args, "--data", cloud.data]);
    assert.deepEqual([code, stdout], [2, ""]);
    return stderr;
  };
  assert.match(await refusedOf("--period", month, "--out", out), /a file holds one document; name a folder/);
  const twice = ["--format", "ubl", "--format", "cii"];
  assert.match(await refusedOf(first!.id, ...twice, "--out", out), /one document in one --format/);
  assert.match(
    await refusedOf(first!.id, "--format", "xrechnung", "--out", join(folder.path, "one.pdf")),
    /--format xrechnung-ubl is written as \.xml, and --out ends in \.pdf/,
  );
  // Where it is the only one, what keeps it from being written is all that is said.
  const alone = await refusedOf(odd[0]!.number, "--format", "pdf", "--out", join(folder.path, "pdf"));
  assert.match(alone, /^error: .*No font here has[^\n]*\(format_unsupported\)\n/);
  assert.doesNotMatch(alone, /Nothing was used/);
  for (const [name, begins] of [
    ["one.pdf", "%PDF-1"],
    ["one.json", "{"],
    ["one.ubl.xml", "<?xml"],
  ] as const) {
    const path = join(folder.path, name);
    assert.equal((await cloud.command<{ file: string }>("invoice", "render", first!.id, "--out", path)).file, path);
    assert.ok(readFileSync(path, "latin1").startsWith(begins), name);
  }
  const focus = [
    "focus",
    "export",
    "--focus-version",
    "1.4",
    "--format",
    "parquet",
    "--out",
    join(folder.path, "f.parquet"),
  ];
  assert.equal((await cloud.command<{ invoices: number }>(...(focus as [string]))).invoices, names.length);
  await cloud.command("invoice", "void", first!.number!, "--reason", "not theirs");
  const states = (await listed()).filter(({ state }) => state === "void");
  assert.deepEqual(
    states.map(({ id }) => id),
    [first!.id],
  );
  const number = `CN-${now.getUTCFullYear()}-000001`;
  const note = ["invoice", "render", number, "--format", "json", "--out", join(folder.path, "cn.json")];
  assert.match((await cloud.command<{ file: string }>(...(note as [string]))).file, /cn\.json$/);
  const { preceding } = await cloud.command<{ preceding: { number: string } }>("invoice", "show", number);
  assert.equal(preceding.number, first!.number);
  const notes = await commandFails(["invoice", "credit-notes", "--period", month, "--data", cloud.data]);
  assert.match(notes.stdout, new RegExp(`^${number} +${first!.number} .* EUR +not theirs$`, "m"));
});

test("an invoice is named by its number too; its amounts have all decimals, and its lines the numbers that credits name", async () => {
  const second = (await listed()).find(({ organisation }) => organisation.name === names[1])!;
  const shown = await cloud.command<{ id: string; gross: string; bill: { lines: { line: string; sku: string }[] } }>(
    "invoice",
    "show",
    second.number!,
  );
  assert.deepEqual([shown.id, shown.gross], [second.id, "42.40"]);
  assert.deepEqual(
    shown.bill.lines.map(({ line, sku }) => `${line} ${sku}`),
    ["1 seats"],
  );
  await cloud.command("invoice", "credit", second.number!, "--line", "1=1.00", "--reason", "Outage");
  const part = ["--amount", "20", "--id", "wire-1", "--date", now.toISOString().slice(0, 10)];
  const first = await cloud.command<Settled>("invoice", "pay", second.number!, ...part);
  assert.deepEqual(first, {
    ...settled,
    invoice: second.id,
    id: "wire-1",
    amount: "20.00",
    paid: "20.00",
    open: "21.34",
  });
  assert.deepEqual(await cloud.command("invoice", "pay", second.number!, ...part), first);
  const conflict = ["invoice", "pay", second.number!, "--amount", "21", "--id", "wire-1", "--data", cloud.data];
  assert.match((await commandFails(conflict)).stderr, /payment_conflict/);
  // As it was before there were parts: no body at all.
  const rest = await control<Settled>(cloud, "POST", `/invoices/${second.id}/payment`);
  assert.deepEqual([rest.amount, rest.state, rest.paid, rest.open], ["21.34", "paid", "41.34", "0.00"]);
  const back = await commandFails(["invoice", "refund", second.number!, "--data", cloud.data]);
  assert.match(back.stderr, /0\.00 EUR are owed to its customer.*refund_exceeds_invoice/s);
  const bounced = await cloud.command<Settled>("invoice", "refund", second.number!, "--payment", "wire-1");
  assert.deepEqual([bounced.amount, bounced.state, bounced.open], ["20.00", "final", "20.00"]);
  const { payments } = await cloud.command<{ payments: { id: string; kind: string; payment: string | null }[] }>(
    "invoice",
    "show",
    second.number!,
  );
  assert.deepEqual(
    payments.map(({ kind, payment }) => `${kind} ${payment}`),
    ["payment null", "payment null", "refund wire-1"],
  );
  const number = `CN-${now.getUTCFullYear()}-000002`;
  const refused = await commandFails(["invoice", "pay", number, "--data", cloud.data]);
  assert.match(refused.stderr, new RegExp(`${number} is a credit note, of the invoice ${second.id}`));
});

test("a line's link tells its usage, to a key of the customer's own too", async () => {
  const { items } = await control<{ items: { document: { lines: { usage: { receipts: string } }[] } }[] }>(
    cloud,
    "GET",
    "/invoice-documents?kind=invoice&limit=2",
  );
  const links = items.map(({ document }) => document.lines[0]!.usage.receipts);
  const { organisation } = (await listed()).find(({ number }) => number?.endsWith("000001"))!;
  await cloud.command("project", "create", "books", "--organisation", organisation.name);
  const asked = async (link: string, more: readonly string[]) => {
    const key = await cloud.newKey(`${organisation.name}/books`, "--may", "audit", ...more);
    const answer = await fetch(`${cloud.url}${link}`, { headers: { authorization: `Bearer ${key}` } });
    return { status: answer.status, body: (await answer.json()) as { items?: { sku: string; quantity: string }[] } };
  };
  const own = await asked(links[0]!, ["--reach", "organisation"]);
  assert.deepEqual(
    own.body.items?.map(({ sku }) => sku),
    ["seats"],
  );
  assert.equal((await asked(links[1]!, ["--reach", "organisation"])).status, 404);
  assert.equal((await asked(links[0]!, [])).status, 403);
});

test("people read an organisation's name, and what a record counted, where the ledger is told", async () => {
  const { stdout: ledger } = await commandFails(["ledger", "export", "--format", "beancount", "--data", cloud.data]);
  assert.match(ledger, /organisation: "org_\w+"\n {4}customer: "customer-0"/);
  const { items } = await control<{ items: { kind: string; number: number; reference: string }[] }>(
    cloud,
    "GET",
    "/ledger/transactions?limit=1000",
  );
  const accrual = items.find(({ kind, reference }) => kind === "accrual" && reference.startsWith("usage "))!;
  const csv = await commandFails(["ledger", "export", "--format", "csv", "--data", cloud.data]);
  const year = now.getUTCFullYear();
  for (const kind of [`bill,inv_\\w+,.*,INV-${year}-000001`, `credit,inv_\\w+,.*,CN-${year}-000001`]) {
    assert.match(csv.stdout, new RegExp(`^\\d+\\.1,.*,${kind}\\r?$`, "m"));
  }
  const credited = new RegExp(`^(\\d+\\.1),.*,CN-${year}-000001\\r?$`, "m").exec(csv.stdout)![1]!;
  const whyCredited = await commandFails(["ledger", "why", credited, "--data", cloud.data]);
  assert.match(whyCredited.stdout, new RegExp(`^made from +inv_\\w+\ndocument +CN-${year}-000001$`, "m"));
  const why = await commandFails(["ledger", "why", `${accrual.number}.1`, "--data", cloud.data]);
  assert.doesNotMatch(why.stdout, /^document/m);
  assert.match(why.stdout, /^organisation +customer-\d+$/m);
  assert.match(why.stdout, /^USED +WHAT +QUANTITY +ID +RECEIPT\n\S+ +seats +\d+ +1$/m);
  const journal = join(folder.path, "ledger.journal");
  writeFileSync(
    journal,
    (await commandFails(["ledger", "export", "--format", "hledger", "--data", cloud.data])).stdout,
  );
  const checked = spawnSync("hledger", ["-f", journal, "check", "--strict"], { encoding: "utf8" });
  if (checked.error === undefined) assert.equal(checked.status, 0, checked.stderr);
  const refund = items.find(({ kind }) => kind === "refund")!;
  const back = await commandFails(["ledger", "why", `${refund.number}.1`, "--data", cloud.data]);
  assert.match(back.stdout, /^refund +rfd_\w+ of \d{4}-\d\d-\d\d: wire-1 did not last$/m);
  assert.match(back.stdout, new RegExp(`^${refund.reference}$`, "m"));
  await control(cloud, "POST", "/usage", [
    { id: "2", source: "/s", customer: names[0], time: `${month}-10T12:00:00Z`, sku: "chairs", quantity: 1 },
  ]);
  const unrated = await commandFails(["usage", "unrated", "list", "--data", cloud.data]);
  assert.match(unrated.stdout, / customer-0 +chairs /);
});
