import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { quantityText, type UsageEvent } from "../ledger/index.ts";
import { type MeteredUsage, readTold, sentRecords, UsageFile, usageText } from "./index.ts";
import { Once } from "./once.ts";

type Told = readonly [customer: string, sku: string, at: string, quantity: string, isBatch: boolean];

async function read(context: TestContext, text: string | Buffer) {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-metering-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "usage");
  writeFileSync(path, text);
  // Days begin an hour before those of UTC here, so that a test can tell.
  const file = new UsageFile(path, (midnightMs) => midnightMs - 3_600_000);
  const events: UsageEvent[] = [];
  await file.read((event) => events.push(event));
  const told = events.map(({ customer, sku, atMs, quantity, isBatch }): Told => {
    const units = quantity === undefined ? "unknown" : String(Number(quantity) / 1e9);
    return [customer, sku, new Date(atMs).toISOString(), units, isBatch];
  });
  return { told, records: file.records, duplicates: file.duplicates, ignored: file.ignored.all };
}

const noon = "2026-03-05T12:00:00.000Z";
const row: Told = ["acme", "disk/storage-gib-hours", noon, "12.5", true];
const event = {
  specversion: "1.0",
  type: "usage",
  id: "1",
  source: "/gateway",
  subject: "acme",
  time: "2026-03-05T13:00:00+01:00",
  data: { sku: "disk/storage-gib-hours", quantity: "12.5", batch: true, other: 1 },
};

test("CSV, lines of JSON, a list, and CloudEvents in both say the same", async (context) => {
  const record = { customer: "acme", time: noon, sku: "disk/storage-gib-hours", quantity: 12.5, batch: true };
  const texts = [
    `customer,time,sku,quantity,batch\nacme,${noon},disk/storage-gib-hours,12.5,true\n`,
    `\uFEFFquantity,"batch",customer,sku,time\r\n12.5,true,"acme",disk/storage-gib-hours,${noon}\r\n`,
    `${JSON.stringify(record)}\n`,
    `\n${JSON.stringify(event)}\n\n`,
    JSON.stringify([record], undefined, 2),
    JSON.stringify([event]),
  ];
  for (const text of texts) assert.deepEqual((await read(context, text)).told, [row], text);
});

test("a record of a model is its tokens by kind, each of them once", async (context) => {
  const header =
    "customer,time,model,inputTokens,cachedInputTokens,cacheWriteTokens,outputTokens,reasoningTokens,embeddingTokens";
  const { told } = await read(
    context,
    `${header}\na,2026-03-05,Qwen/m,100,30,20,50,10,7\na,2026-03-05,Qwen/m,5,0,0,0,0,0\na,2026-03-05,Qwen/m,5,,0,7,0,0\n`,
  );
  assert.deepEqual(
    told.map(([, sku, , quantity]) => `${sku} ${quantity}`),
    [
      "Qwen/m/input-tokens 50",
      "Qwen/m/cached-read-tokens 30",
      "Qwen/m/cache-write-tokens 20",
      "Qwen/m/output-tokens 40",
      "Qwen/m/reasoning-tokens 10",
      "Qwen/m/embedding-tokens 7",
      "Qwen/m/input-tokens 5",
      // How much came from the cache is not known: so it is not known what the rest costs either.
      "Qwen/m/input-tokens unknown",
      "Qwen/m/output-tokens 7",
    ],
  );
  assert.equal(told[0]![2], "2026-03-04T23:00:00.000Z");
});

test("an event counts once, however often it is told; with another body it is refused", async (context) => {
  const header = "source,id,customer,time,sku,quantity\n";
  const first = `a,1,acme,${noon},m/input-tokens,1\n`;
  const sameMoment = "a,1,acme,2026-03-05T13:00:00+01:00,m/input-tokens,1.0\n";
  const others = `b,1,acme,${noon},m/input-tokens,1\n,a1,acme,${noon},m/input-tokens,1\n,,acme,${noon},m/input-tokens,1\n`;
  const { told, records, duplicates } = await read(context, header + first + others + sameMoment + first + others);
  // What has no id counts each time.
  assert.deepEqual([told.length, records, duplicates], [5, 9, 4]);
  await assert.rejects(
    read(context, `${header}${first}a,1,acme,${noon},m/input-tokens,2\n`),
    /usage:3: id "1" was said before, with another body$/,
  );
});

test("what cannot be billed as it stands is refused with file, line and field", async (context) => {
  const header = "customer,time,sku,quantity\n";
  const fine = `acme,${noon},m/x,1\n`;
  const model = { customer: "a", time: noon, model: "m" };
  const cases: readonly (readonly [string, RegExp])[] = [
    [`${header}${fine}acme,${noon},m/x,-1\n`, /usage:3: quantity is "-1", but cannot be negative$/],
    [`${header}acme,${noon},m/x,1e3\n`, /usage:2: quantity is "1e3", but must be a decimal number/],
    [
      `${header}acme,${noon},m/x,9999999999999999\n`,
      /usage:2: quantity is "9999999999999999", but must be a decimal number with at most 15/,
    ],
    [`${header}acme,2026-02-29,m/x,1\n`, /usage:2: time is "2026-02-29", but must be an instant/],
    [`${header}acme,2026-03-05T12:00:00,m/x,1\n`, /usage:2: time is .* an instant with its zone/],
    [`${header}acme,1970-01-20T12:00:00Z,m/x,1\n`, /usage:2: time is .* not between 2000 and 2099$/],
    [`${header},${noon},m/x,1\n`, /usage:2: customer is missing$/],
    [`${header}acme,${noon},,1\n`, /usage:2: sku or model is missing$/],
    [`${header}acme,${noon},m/x\n`, /usage:2: has 3 cells, but the header has 4$/],
    ["customer,sku,quantity\n", /usage:1: the header lacks time; columns are id, /],
    ["customer,time,sku,sku\n", /usage:1: the header names sku twice$/],
    [`${header.trim()},batch\nacme,${noon},m/x,1,yes\n`, /usage:2: batch is "yes", but must be true or false$/],
    [
      JSON.stringify({ ...model, inputTokens: 1, cachedInputTokens: 2 }),
      /usage:1: inputTokens is less than cachedInputTokens/,
    ],
    [JSON.stringify({ ...model, inputTokens: 1, quantity: 1 }), /usage:1: quantity has no meaning beside model/],
    [`${header.trim()},inputTokens\nacme,${noon},m/x,1,1\n`, /usage:2: inputTokens has no meaning beside sku/],
    [JSON.stringify(model), /usage:1: a record of a model has some of inputTokens/],
    [
      JSON.stringify({ ...model, sku: "m/x", inputTokens: 1 }),
      /usage:1: sku has no meaning beside model: a record is of one of them$/,
    ],
    [
      '{"customer":"a","time":"2026-03-05","sku":"m/x","quantity":9007199254740993}',
      /usage:1: quantity is .* write it in quotes$/,
    ],
    [`{"customer":1,"time":"2026-03-05"}`, /usage:1: customer is 1, but must be a text$/],
    [`${JSON.stringify(event)}\n{"a":\n`, /usage:2: the line is not one JSON object$/],
    [JSON.stringify({ ...event, specversion: "0.3" }), /usage:1: specversion must be "1.0"$/],
    [JSON.stringify({ ...event, subject: "" }), /usage:1: subject is missing$/],
    [JSON.stringify({ ...event, data: "x" }), /usage:1: data must be an object/],
    [
      JSON.stringify([event, { ...event, id: "2", data: { sku: "m/x", quantity: -3 } }]),
      /usage:1: \[1\]: quantity is -3, but cannot be negative$/,
    ],
    ["[1", /usage:1: the file begins as a list, and is no JSON$/],
    [`${header}acme,${noon},m/input-tokens,10.5\n`, /usage:2: quantity is "10.5", but tokens are whole$/],
    [
      JSON.stringify({ ...model, inputTokens: 2, cachedInputTokens: 0.5 }),
      /usage:1: cachedInputTokens is 0.5, but tokens are whole$/,
    ],
    [
      '{"customer":"a","time":"2026-03-05","sku":"m/x","quantity":123456789.123456789}',
      /usage:1: quantity is 123456789\.123456789: JSON readers lose digits of such a number; write it in quotes$/,
    ],
    [
      '{"customer":"a","time":"2026-03-05","model":"m","inputTokens":999999999999.999999999}',
      /usage:1: inputTokens is 999999999999\.999999999: .* write it in quotes$/,
    ],
    [
      '{"customer":"a","time":"2026-03-05","sku":"m/x","quantity":1e-400}',
      /usage:1: quantity is 1e-400: JSON readers lose/,
    ],
    [
      '{"customer":"a","time":"2026-03-05","sku":"m/x","quantity":1.5e-9}',
      /usage:1: quantity is 1\.5e-9, but must be a decimal number with at most 15 .* 9 behind$/,
    ],
    ['{"customer":"a","time":"2026-03-05","sku":"m/x","quantity":"1e-7"}', /9 behind, and no exponent$/],
    [
      '{"customer":"a","time":"2026-03-05","customer":"b","sku":"m/x","quantity":1}',
      /usage:1: customer is there twice$/,
    ],
    [
      `[${JSON.stringify(event)}, {"sku":"m/x","data":{"quantity":1,"quantity":2}}]`,
      /usage:1: \[1\]: quantity is there twice$/,
    ],
  ];
  for (const [text, message] of cases) await assert.rejects(read(context, text), message, text);
});

test("a number with an exponent is the decimal that it is", async (context) => {
  const record = '{"customer":"acme","time":"2026-03-05T12:00:00.000Z","sku":"m/x","quantity":';
  const { told } = await read(
    context,
    ["1e-7", "0.0000001", "1.5e3", "12E-1"].map((text) => `${record}${text}}\n`).join(""),
  );
  assert.deepEqual(
    told.map(([, , , quantity]) => quantity),
    ["1e-7", "1e-7", "1500", "1.2"],
  );
});

test("a file that is no text, no file, or not there is refused", async (context) => {
  const bytes = Buffer.from(`customer,time,sku,quantity\nacm\xe9,${noon},m/x,1\n`, "latin1");
  await assert.rejects(read(context, bytes), /usage:2: customer has .* not UTF-8/);
  await assert.rejects(
    new UsageFile(tmpdir(), Number).read(() => undefined),
    /that is a folder; give a file in it$/,
  );
  await assert.rejects(
    new UsageFile(join(tmpdir(), "no such file"), Number).read(() => undefined),
    { code: "ENOENT" },
  );
});

test("columns that mean nothing are told, and absent counts are unknown", async (context) => {
  const { told, ignored } = await read(context, `customer,time,sku,quantity,bacth\na,${noon},m/x,,true\n`);
  assert.deepEqual(ignored, ["bacth"]);
  assert.deepEqual((await read(context, JSON.stringify({ ...event, data: { ...event.data, bacth: true } }))).ignored, [
    "other",
    "bacth",
  ]);
  assert.deepEqual(told, [["a", "m/x", noon, "unknown", false]]);
});

test("what was told is remembered as a set of pairs would", () => {
  const telling = fc.record({
    source: fc.constantFrom("", "a", "ab"),
    id: fc.constantFrom("b", "c", "bc", ...Array.from({ length: 300 }, (_, n) => `${n}`)),
    body: fc.constantFrom("x", "y"),
  });
  fc.assert(
    fc.property(fc.array(telling, { maxLength: 2_000, size: "max" }), (tellings) => {
      const [once, bodies] = [new Once(), new Map<string, string>()];
      for (const { source, id, body } of tellings) {
        const key = JSON.stringify([source, id]);
        const before = bodies.get(key);
        assert.equal(
          once.tell(source, id, body),
          before === undefined ? "first" : before === body ? "again" : "differs",
        );
        bodies.set(key, before ?? body);
      }
    }),
    { numRuns: 30 },
  );
  const once = new Once();
  for (let id = 0; id < 50_000; id++) assert.equal(once.tell("", String(id), ""), "first");
  for (let id = 0; id < 50_000; id++) assert.equal(once.tell("", String(id), ""), "again");
});

test("a count under a wrong name is refused, of a file that is sent and of a call", async (context) => {
  const record = { id: "1", customer: "a", time: noon, model: "m", inputTokens: 1 };
  const data = { model: "m", inputTokens: 1 };
  const known = { ...event, partitionkey: "x", data };
  const wrong = /ouputTokens \(did you mean outputTokens\?\) means nothing in a record/;
  for (const [text, place] of [
    [`id,customer,time,model,inputTokens,ouputTokens\n1,a,${noon},m,1,1000000\n`, /usage:1: the header names .*batch/],
    [`${JSON.stringify(record)}\n${JSON.stringify({ ...record, ouputTokens: 1_000_000 })}`, /usage:2: /],
    [JSON.stringify([{ ...known, data: { ...data, ouputTokens: 1_000_000 } }]), /usage:1: \[0\]: /],
  ] as const) {
    await assert.rejects(handedOver(context, text), wrong, text);
    await assert.rejects(handedOver(context, text), place, text);
  }
  assert.deepEqual(await handedOver(context, JSON.stringify(record)), [record]);
  assert.deepEqual(await handedOver(context, JSON.stringify([known])), [known]);
  const told = (value: object) => {
    const read = readTold(value, (midnightMs) => midnightMs);
    return "problem" in read ? read.problem : "read";
  };
  assert.equal(told(record), "read");
  // Extension attributes of an event are for those who pass it on.
  assert.equal(told(known), "read");
  const meant = "outputToken (did you mean outputTokens?) means nothing in a record";
  assert.equal(told({ ...record, outputToken: 1_000_000 }), meant);
  assert.equal(told({ ...known, data: { ...data, outputToken: 1_000_000 } }), meant);
  // The event says who and when: what its data says of it would be lost.
  assert.match(told({ ...known, data: { ...data, customer: "b" } }), /^customer means nothing/);
});

/** What of a usage file goes to whoever keeps the books. */
async function handedOver(context: TestContext, text: string): Promise<readonly unknown[]> {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-metering-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "usage");
  writeFileSync(path, text);
  const sent: unknown[] = [];
  for await (const { fields } of sentRecords(path)) sent.push({ ...fields });
  return sent;
}

test("a header without a column for how much is refused, and says which columns there are", async (context) => {
  const columns = /; columns are id, source, customer, .*, trainingTokens$/;
  for (const [header, message] of [
    ["id,customer,time,sku,qty", /usage:1: the header lacks quantity, and qty .*means nothing in a record; columns/],
    ["id,customer,time,sku,Quantity,x", /lacks quantity, and Quantity \(did you mean quantity\?\), x.* mean nothing/],
    ["id,customer,time", /the header lacks sku and quantity, or model and its counts;/],
    ["id,time,sku", /the header lacks customer and quantity;/],
  ] as const) {
    for (const way of [read, handedOver]) {
      await assert.rejects(way(context, `${header}\n`), message, header);
      await assert.rejects(way(context, `${header}\n`), columns, header);
    }
  }
  await assert.rejects(
    handedOver(context, "id,customer,time,sku,quantity,\n"),
    /names what is not read: "" means nothing/,
  );
  const many = Array.from({ length: 30 }, (_, at) => `column${at}`).join(",");
  await assert.rejects(handedOver(context, `id,customer,time,sku,quantity,${many}\n`), /column19.* and 10 more mean/);
});

function told(more: object): string {
  const record = { id: "1", customer: "a", time: noon, sku: "m/input-tokens", quantity: 1, ...more };
  const read = readTold(record, (midnightMs) => midnightMs);
  return "problem" in read ? read.problem : "read";
}

test("what the books write themselves is no usage, in a file either", async (context) => {
  const refused = /^sku is .* which the books write themselves: nobody uses it$/;
  for (const sku of ["commitment/true-up", "wallet/credits"]) {
    assert.match(told({ sku }), refused);
    const file = `customer,time,sku,quantity\nacme,${noon},${sku},1\n`;
    await assert.rejects(read(context, file), /usage:2: sku is .* the books write/);
  }
});

test("what a spreadsheet would compute is no name in usage", () => {
  for (const name of ['=HYPERLINK("http://evil","x")/x', "+1/x", "-1/x", "@SUM(1)"]) {
    assert.match(told({ sku: name }), /^sku is .* a spreadsheet would take for a formula/, name);
    assert.match(told({ source: name }), /^source is .* a formula/, name);
    assert.match(told({ sku: undefined, quantity: undefined, model: name, inputTokens: 1 }), /^model is .* a formula/);
  }
  for (const id of ["=1", "-2+3+cmd|' /C calc'!A0", "@SUM(1)"]) assert.match(told({ id }), /^id is .* a formula/, id);
  // Ids of others are drawn from letters that begin so too, and call nothing.
  for (const id of ["-Xw_3k", "+aB/9Q==", "@me"]) assert.equal(told({ id, source: "/s", sku: "a=b/x" }), "read");
});

const sent = {
  source: "/s",
  id: "1",
  organisation: "org_A",
  organisationName: "acme",
  at: noon,
  isBatch: false,
  receipt: null,
  sku: "m/input-tokens",
  quantity: "7",
  model: null,
  isEmbedding: false,
  inputTokens: null,
  cachedInputTokens: null,
  outputTokens: null,
  reasoningTokens: null,
};

type Format = Parameters<typeof usageText>[0];
const formats: readonly Format[] = ["cloudevents", "csv", "jsonl"];

/** Written as pages of `perPage`, as a cloud tells them. */
async function written(format: Format, usage: readonly MeteredUsage[], perPage = 2): Promise<string> {
  async function* pages() {
    for (let at = 0; at < usage.length; at += perPage) yield Promise.resolve(usage.slice(at, at + perPage));
  }
  let text = "";
  for await (const part of usageText(format, pages())) text += part;
  return text;
}

test("a source is the same one in each form in which usage is written, also where there is none", async (context) => {
  for (const source of ["/s", "/", ""]) {
    const usage = [
      { ...sent, source },
      { ...sent, source, id: "2" },
    ];
    const texts = await Promise.all(formats.map((format) => written(format, usage)));
    for (const text of texts) assert.equal((await read(context, text)).told.length, 2, text);
    const both = `${texts[0]}${texts[2]}`;
    assert.equal((await read(context, both)).duplicates, 2, both);
  }
});

const few = fc.integer({ min: 0, max: 9 });
const perhaps = fc.option(fc.integer({ min: 20, max: 900 }));

test("a record of a model is written as one, whatever of its kinds was used, and reads as what was told", async (context) => {
  const model = fc.record(
    {
      model: fc.constantFrom("m", "Qwen/m"),
      inputTokens: perhaps,
      cachedInputTokens: few,
      cacheWriteTokens: few,
      outputTokens: perhaps,
      reasoningTokens: few,
      embeddingTokens: perhaps,
      trainingTokens: perhaps,
      batch: fc.boolean(),
    },
    { requiredKeys: ["model", "inputTokens", "outputTokens"] },
  );
  const sku = fc.record({ sku: fc.constantFrom("m/input-tokens", "other"), quantity: perhaps });
  const records = fc.array(fc.record({ customer: fc.constantFrom("acme", "globex"), body: fc.oneof(model, sku) }), {
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(records, fc.integer({ min: 1, max: 4 }), async (told, perPage) => {
      // An id is its customer's own: two of them have the same ones.
      const ids = new Map<string, number>();
      const rows = told.flatMap(({ customer, body }) => {
        const id = String((ids.get(customer) ?? 0) + 1);
        ids.set(customer, Number(id));
        const known = readTold({ ...body, customer, id, source: "/s", time: noon }, Number);
        if ("problem" in known) throw new Error(known.problem);
        const { events } = known;
        return events.map((each) => ({
          ...sent,
          id,
          organisation: `org_${customer}`,
          organisationName: customer,
          sku: each.sku,
          quantity: each.quantity === undefined ? null : quantityText(each.quantity),
          isBatch: each.isBatch,
        }));
      });
      const kept = rows.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
      const meant = kept.map(({ organisationName, sku, quantity, isBatch }): Told => [
        organisationName,
        sku,
        noon,
        quantity ?? "unknown",
        isBatch,
      ]);
      // An empty file is none of usage.
      for (const format of kept.length === 0 ? [] : formats) {
        const { told } = await read(context, await written(format, kept, perPage));
        assert.deepEqual(told.map(String).toSorted(), meant.map(String).toSorted());
      }
    }),
    { numRuns: 30 },
  );
});

const keyOf = ({ organisation, id, sku }: MeteredUsage): string => [organisation, id, sku].join("\n");

test("of a request of which one kind is not known nothing is, as in the books", async (context) => {
  const request = { ...sent, sku: null, quantity: null, model: "m", inputTokens: "5", cachedInputTokens: "2" };
  for (const usage of [request, { ...request, cachedInputTokens: "9", outputTokens: "1", reasoningTokens: "0" }]) {
    for (const format of formats) {
      const { told } = await read(context, await written(format, [usage]));
      assert.deepEqual(
        told.map(([, sku, , quantity]) => `${sku} ${quantity}`),
        ["m/input-tokens unknown", "m/output-tokens unknown"],
      );
    }
  }
});
