import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { readAegaeon } from "./aegaeon.ts";
import { readAzure } from "./azure.ts";
import { withLineFeeds } from "./line-ends.ts";
import { readMooncake } from "./mooncake.ts";
import { traceFolder } from "./testing.ts";
import type { Workload } from "./workload.ts";

const aegaeon = "Request Time,Model Name,Input Length,Output Length";
const azure = "TIMESTAMP,ContextTokens,GeneratedTokens";

test("aegaeon: a request a row, plain and packed, with either line end", async (context) => {
  const folder = await traceFolder(context);
  const lines = [aegaeon, "00:00:00.054,synth_model_46,1514,380", "01:02:03.5,b,7,101", ""];
  const plain = await readAegaeon(await folder.write("a.csv", lines));
  assert.deepEqual(plain, {
    name: "a.csv",
    requests: [
      { atMs: 54, model: "synth_model_46", tenant: "synth_model_46", inputTokens: 1514, outputTokens: 380 },
      { atMs: 3_723_500, model: "b", tenant: "b", inputTokens: 7, outputTokens: 101 },
    ],
    notes: ["each model has one tenant of its own"],
  });
  const packed = await readAegaeon(
    await folder.write(
      "a.csv.gz",
      lines.map((line) => `${line}\r`),
    ),
  );
  assert.deepEqual(packed, { ...plain, name: "a.csv.gz" });
});

test("aegaeon: columns may stand in another order, and others between them", async (context) => {
  const folder = await traceFolder(context);
  const path = await folder.write("a.csv", [
    "Output Length,Region,Input Length,Model Name,Request Time",
    "2,eu,1,m,00:00:01",
  ]);
  const { requests } = await readAegaeon(path);
  assert.deepEqual(requests, [{ atMs: 1000, model: "m", tenant: "m", inputTokens: 1, outputTokens: 2 }]);
});

test("azure: times since the first request to 100 ns, dealt to models in turn", async (context) => {
  const folder = await traceFolder(context);
  const path = await folder.write("azure.csv", [
    azure,
    "2023-11-16 23:59:59.9799601,4808,10",
    "2023-11-17 00:00:00.0319602,3180,8",
    "2023-11-17 00:00:01,110,27",
  ]);
  const { requests, notes } = await readAzure(path, { models: 2 });
  assert.deepEqual(
    requests.map(({ atMs, model, tenant }) => [Math.round(atMs * 10_000), model, tenant]),
    [
      [0, "model-01", "model-01"],
      [520_001, "model-02", "model-02"],
      [10_200_399, "model-01", "model-01"],
    ],
  );
  assert.match(notes.join(), /dealt to 2 models in turn/);
  const one = await readAzure(path);
  assert.deepEqual(new Set(one.requests.map(({ model }) => model)), new Set(["model-01"]));
});

test("mooncake: prefixes are kept", async (context) => {
  const folder = await traceFolder(context);
  const path = await folder.write("m.jsonl.gz", [
    '{"timestamp": 0, "input_length": 600, "output_length": 500, "hash_ids": [0, 1]}',
    '{"timestamp": 27.5, "input_length": 512, "output_length": 1, "hash_ids": [0], "more": true}',
  ]);
  const { requests } = await readMooncake(path);
  assert.deepEqual(requests, [
    { atMs: 0, model: "model-01", tenant: "model-01", inputTokens: 600, outputTokens: 500, prefix: [0, 1] },
    { atMs: 27.5, model: "model-01", tenant: "model-01", inputTokens: 512, outputTokens: 1, prefix: [0] },
  ]);
});

test("rows out of order are sorted, lengths of 0 are 1, what is late is cut, and the notes say so", async (context) => {
  const folder = await traceFolder(context);
  const path = await folder.write("a.csv", [
    aegaeon,
    "00:00:05.000,late,1,1",
    "00:00:01.000,a,0,5",
    "00:00:01.000,b,5,0",
    "00:01:00.000,c,1,1",
  ]);
  const { requests, notes } = await readAegaeon(path, { minutes: 1 });
  assert.deepEqual(
    requests.map(({ model, inputTokens, outputTokens }) => [model, inputTokens, outputTokens]),
    [
      ["a", 1, 5],
      ["b", 5, 1],
      ["late", 1, 1],
    ],
  );
  assert.deepEqual(notes.slice(1), [
    "2 rows were earlier than one before them: sorted",
    "2 rows had no tokens in or out: one is assumed",
    "cut after 1 minutes: 1 of 4 requests are left out",
  ]);
  const whole = await readAegaeon(path, { minutes: 2 });
  assert.equal(whole.notes.at(-1), "all requests: the last comes after 1 of the 2 minutes");
  await assert.rejects(readAegaeon(path, { minutes: 0.01 }), {
    name: "WorkloadError",
    message: /first request comes after 0.01667 minutes; ask for more than 0.01$/,
  });
});

type Read = (path: string) => Promise<Workload>;

test("a bad row stops the reading, with the file and the line", async (context) => {
  const folder = await traceFolder(context);
  const good = {
    aegaeon: [aegaeon, "00:00:00.054,m,1,1"],
    azure: [azure, "2023-11-16 18:17:03.9799600,1,1"],
    mooncake: ['{"timestamp": 0, "input_length": 1, "output_length": 1, "hash_ids": [0]}'],
  } as const;
  const reads: Readonly<Record<keyof typeof good, Read>> = {
    aegaeon: (path) => readAegaeon(path),
    azure: (path) => readAzure(path),
    mooncake: (path) => readMooncake(path),
  };
  const cases: readonly (readonly [keyof typeof good, string, RegExp])[] = [
    ["aegaeon", "00:00:01.000,m,12.5,1", /Input Length is 12.5, but must be a whole number/],
    ["aegaeon", "00:00:01.000,m,-3,1", /Input Length is -3, but cannot be negative/],
    ["aegaeon", "00:00:01.000,m,1,NaN", /Output Length is "NaN", which is not a number/],
    ["aegaeon", "00:00:01.000,m,1,", /Output Length is "", which is not a number/],
    ["aegaeon", "00:00:01.000,m,1,1000000000000", /Output Length is 1000000000000, but can be 100000000 at most/],
    ["aegaeon", "00:00:01.000,m,1", /has 3 cells, but the header has 4/],
    ["aegaeon", "00:00:01.000,m,1,1,1", /has 5 cells, but the header has 4/],
    ["aegaeon", "00:00:01.000,,1,1", /Model Name is empty/],
    ["aegaeon", "1.5,m,1,1", /Request Time is "1.5", but must be HH:MM:SS.mmm/],
    ["aegaeon", "00:61:00.000,m,1,1", /Request Time is "00:61:00.000"/],
    ["azure", "2023-11-31 18:17:03.9799600,1,1", /TIMESTAMP is "2023-11-31 18:17:03.9799600"/],
    ["azure", "2023-11-16 25:17:03,1,1", /TIMESTAMP is "2023-11-16 25:17:03"/],
    ["azure", "16/11/2023 18:17,1,1", /must be a date and time, YYYY-MM-DD/],
    ["azure", "2023-11-16 18:17:03.97,1.0,1", /ContextTokens is 1.0, but must be a whole number/],
    ["azure", "2023-11-16 18:17:03.97,1,-1", /GeneratedTokens is -1/],
    ["mooncake", "{", /not one JSON object/],
    ["mooncake", "[1]", /not one JSON object/],
    ["mooncake", '{"timestamp": 0, "input_length": 1, "output_length": 1}', /hash_ids is missing/],
    [
      "mooncake",
      `{"timestamp": 0, "input_length": ${"[".repeat(200_000)}${"]".repeat(200_000)}}`,
      /:\d+: input_length is an array, which is not a number/,
    ],
    ["mooncake", '{"input_length": 1, "output_length": 1, "hash_ids": []}', /timestamp is missing/],
    ["mooncake", '{"timestamp": -1, "input_length": 1, "output_length": 1, "hash_ids": []}', /timestamp is -1/],
    ["mooncake", '{"timestamp": 0, "input_length": "1", "output_length": 1, "hash_ids": []}', /input_length is "1"/],
    ["mooncake", '{"timestamp": 0, "input_length": 1, "output_length": 1.5, "hash_ids": []}', /output_length is 1.5/],
    ["mooncake", '{"timestamp": 0, "input_length": 512, "output_length": 1, "hash_ids": [1, 2]}', /1 blocks of 512/],
    ["mooncake", '{"timestamp": 0, "input_length": 512, "output_length": 1, "hash_ids": [1.5]}', /a hash id is 1.5/],
    ["mooncake", '{"timestamp": 1e999, "input_length": 1, "output_length": 1, "hash_ids": []}', /timestamp is null/],
  ];
  for (const [index, [format, row, message]] of cases.entries()) {
    const path = await folder.write(`${index}.txt`, [...good[format], row, ...good[format].slice(-1)]);
    await assert.rejects(
      reads[format](path),
      (error: Error) => {
        assert.equal(error.name, "WorkloadError");
        assert.ok(error.message.startsWith(`${path}:${good[format].length + 1}: `), error.message);
        assert.match(error.message, message);
        return true;
      },
      row,
    );
  }
});

test("a quote that is wrong stops the reading in the row that has it, with either line end", async (context) => {
  const folder = await traceFolder(context);
  const row = "00:00:01.000,m,1,1";
  const cases: readonly (readonly [lines: readonly string[], line: number, message: RegExp])[] = [
    [[aegaeon, row, '00:00:01.000,"m,1,1', row, row], 3, /opens in this row, and is never closed/],
    [[aegaeon, "", row, "", '00:00:01.000,m,1,"1', row, "", row], 5, /never closed/],
    [[aegaeon, '00:00:01.000,"a', 'b",1,1', '00:00:01.000,"m,1,1', row], 4, /never closed/],
    [[`"${aegaeon}`, row], 1, /never closed/],
    [[aegaeon, row, `00:00:01.000,"m${"x".repeat(1024 * 1024)}`, row], 3, /more than 1048576 characters/],
    [[aegaeon, row, '00:00:01.000,m"x",1,1', row], 3, /stands inside a cell/],
    [[aegaeon, row, '00:00:01.000,"m"x,1,1', row], 3, /something follows the quote/],
    [[aegaeon, row, '00:00:01.000,"m,1,1', '00:00:01.000,"n,1,1', row], 3, /something follows the quote/],
    [[aegaeon, '00:00:01.000,"two', 'lines",1,1', "00:00:01.000,m,-1,1"], 4, /Input Length is -1/],
  ];
  for (const [index, [lines, line, message]] of cases.entries()) {
    for (const end of ["", "\r"]) {
      const path = await folder.write(
        `${index}.csv`,
        lines.map((text) => `${text}${end}`),
      );
      await assert.rejects(readAegaeon(path), (error: Error) => {
        assert.equal(error.name, "WorkloadError");
        assert.ok(error.message.startsWith(`${path}:${line}: `), error.message);
        assert.match(error.message, message);
        return true;
      });
    }
  }
});

test("lines are counted with any line end, also several in one file, and behind a byte order mark", async (context) => {
  const folder = await traceFolder(context);
  const rows = ["00:00:01.000,m,1,1", "", "00:00:02.000,m,1,1", "00:00:03.000,m,-1,1"];
  const json = '{"timestamp": 0, "input_length": 1, "output_length": 1, "hash_ids": []}';
  for (const ends of [["\n"], ["\r\n"], ["\r"], ["\r\n", "\n"], ["\n", "\r\n"]]) {
    for (const mark of ["", "\ufeff"]) {
      const lines = [`${mark}${aegaeon}`, ...rows];
      const path = join(folder.path, "a.csv");
      await writeFile(path, lines.map((line, index) => `${line}${ends[Math.min(index, ends.length - 1)]}`).join(""));
      await assert.rejects(readAegaeon(path), { message: `${path}:5: Input Length is -1, but cannot be negative` });
    }
  }
  const path = await folder.write("a.jsonl", [`\ufeff${json}\r`, "\r", `${json}\r`, '{"timestamp: 0}\r']);
  await assert.rejects(readMooncake(path), { message: `${path}:4: the line is not one JSON object` });
});

test("a line end may fall between two parts in which a file comes", async () => {
  const parts = ["a\r", "\nb\r", "c\n\r\n", "\r", "\r\nd\r"];
  const joined: string[] = [];
  for await (const part of withLineFeeds(Readable.from(parts.map((text) => Buffer.from(text))))) {
    joined.push(part.toString());
  }
  assert.equal(joined.join(""), "a\nb\nc\n\n\n\nd\n");
});

test("a wrong header, an empty file and a header alone are told apart", async (context) => {
  const folder = await traceFolder(context);
  const wrong = await folder.write("wrong.csv", ["Request Time,Model,Input Length", "00:00:01,m,1"]);
  await assert.rejects(readAegaeon(wrong), { message: /wrong.csv:1: the header lacks Model Name, Output Length/ });
  const far = await folder.write("far.csv", ["currency: EUR", "prices:", '  - "1']);
  await assert.rejects(readAegaeon(far), { message: /far.csv:1: the header lacks/ });
  const empty = await folder.write("empty.csv", []);
  await assert.rejects(readAzure(empty), { name: "WorkloadError", message: /the file is empty/ });
  await assert.rejects(readMooncake(empty), { name: "WorkloadError", message: /the file has no requests/ });
  const alone = await folder.write("alone.csv", [azure]);
  await assert.rejects(readAzure(alone), { name: "WorkloadError", message: /the file has no requests/ });
});

test("what cannot be read is told by its file", async (context) => {
  const folder = await traceFolder(context);
  await assert.rejects(readAegaeon(join(folder.path, "nosuch.csv")), { message: /nosuch.csv: there is no such file/ });
  await assert.rejects(readMooncake(folder.path), { name: "WorkloadError", message: /that is a folder/ });
  await assert.rejects(readAegaeon(folder.path), { name: "WorkloadError", message: /that is a folder/ });
  const rows = Array.from({ length: 5000 }, (_, index) => `00:00:01.000,model_${index * 7919},${index},1`);
  const whole = gzipSync([aegaeon, ...rows].join("\n"));
  const torn = join(folder.path, "torn.csv.gz");
  await writeFile(torn, whole.subarray(0, whole.length / 2));
  await assert.rejects(readAegaeon(torn), { name: "WorkloadError", message: /torn.csv.gz: damaged or cut off/ });
  await assert.rejects(readMooncake(torn), { name: "WorkloadError" });
  const bytes = join(folder.path, "bytes.jsonl");
  await writeFile(bytes, Buffer.from([0x7b, 0xff, 0xfe, 0x0a]));
  await assert.rejects(readMooncake(bytes), { name: "WorkloadError", message: /not a text file/ });
});

test("lines are counted over parts in which a file comes", async (context) => {
  const folder = await traceFolder(context);
  const line = `{"timestamp": 0, "input_length": 1, "output_length": 1, "hash_ids": [], "é": "${"é".repeat(5000)}"}`;
  const path = await folder.write("long.jsonl", [...Array.from({ length: 40 }, () => line), "", "bad"]);
  await assert.rejects(readMooncake(path), { message: `${path}:42: the line is not one JSON object` });
});
