import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { fileFolder } from "../testing.ts";
import { lineOfElement } from "./json-place.ts";
import { parseStandIns } from "./stand-ins.ts";
import { readUsage, type UsageFormat } from "./usage.ts";
import { busiestWindow } from "./window.ts";

const standIns = parseStandIns("gpt-4o=qwen2.5-72b,gpt-4o-mini=qwen2.5-7b");

/** 2026-01-01T00:00:00Z */
const newYearS = 1_767_225_600;

async function reader(context: TestContext) {
  const write = await fileFolder(context);
  return async (name: string, text: string, format: UsageFormat, minutes = 60, seeds = 2) =>
    readUsage({ path: await write(name, text), format, standIns, minutes, seeds });
}

function spendLog(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return {
    request_id: "chatcmpl-1",
    call_type: "acompletion",
    api_key: "88dc28",
    startTime: "2026-01-01T00:00:01.500Z",
    model: "openai/gpt-4o-2024-08-06",
    model_group: "gpt-4o",
    prompt_tokens: 100,
    completion_tokens: 20,
    status: "success",
    cache_hit: "False",
    team_id: null,
    user: "",
    ...fields,
  };
}

test("LiteLLM's spend logs are requests one by one, from every form of JSON and from CSV", async (context) => {
  const read = await reader(context);
  const rows = [
    spendLog({ team_id: "radiology" }),
    spendLog({ startTime: "2026-01-01T01:00:00.250+01:00", model_group: "gpt-4o-mini", user: "anna" }),
    spendLog({ status: "failure" }),
    spendLog({ cache_hit: "True" }),
    spendLog({ call_type: "aembedding", model_group: "text-embedding-3-small", completion_tokens: 0 }),
  ];
  const csv = [
    "request_id,startTime,model,model_group,prompt_tokens,completion_tokens,team_id,user,api_key,status,cache_hit,call_type",
    "1,2026-01-01 00:00:01.5,x,gpt-4o,100,20,radiology,,88dc28,success,False,acompletion",
    "2,2026-01-01 00:00:00.25,x,gpt-4o-mini,100,20,,anna,88dc28,success,,acompletion",
    "3,2026-01-01 00:00:01.5,x,gpt-4o,100,20,,,88dc28,failure,,acompletion",
    "4,2026-01-01 00:00:01.5,x,gpt-4o,100,20,,,88dc28,success,True,acompletion",
    "5,2026-01-01 00:00:01.5,x,text-embedding-3-small,100,0,,,88dc28,success,,aembedding",
  ].join("\n");
  for (const [name, text] of [
    ["a.json", JSON.stringify(rows)],
    ["page.json", JSON.stringify({ data: rows, total: 5 }, undefined, 2)],
    ["lines.jsonl", rows.map((row) => JSON.stringify(row)).join("\n")],
    ["a.csv", csv],
  ] as const) {
    const { workloads, shapes } = await read(name, text, "litellm");
    assert.equal(workloads.length, 1, "what is recorded has one seed");
    assert.deepEqual(workloads[0]!.requests, [
      { atMs: 250, model: "qwen2.5-7b", tenant: "anna", inputTokens: 100, outputTokens: 20 },
      { atMs: 1500, model: "qwen2.5-72b", tenant: "radiology", inputTokens: 100, outputTokens: 20 },
    ]);
    assert.deepEqual([...shapes.keys()].sort(), ["qwen2.5-72b", "qwen2.5-7b"]);
    const notes = workloads[0]!.notes.join("\n");
    assert.match(notes, /1 failed.*\n.*cache.*\n.*embeddings/);
    assert.match(notes, /qwen2\.5-72b stands for gpt-4o/);
  }
});

const openaiHeader =
  "start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,user_id,api_key_id,model,batch,service_tier,input_tokens,output_tokens,input_cached_tokens";

test("OpenAI's usage comes by chance within its buckets, with their mean lengths", async (context) => {
  const read = await reader(context);
  const csv = [
    openaiHeader,
    `${newYearS},${newYearS + 3600},,,proj_a,400,,,gpt-4o,False,default,40010,8000,0`,
    `${newYearS},${newYearS + 3600},,,proj_a,50,,,gpt-4o,True,default,5000,1000,0`,
    `${newYearS + 3600},${newYearS + 7200},,,,,,,,,,,,`,
  ].join("\n");
  const result = {
    object: "organization.usage.completions.result",
    input_tokens: 40_010,
    output_tokens: 8000,
    num_model_requests: 400,
    project_id: "proj_a",
    model: "gpt-4o",
    batch: false,
  };
  const bucket = { object: "bucket", start_time: newYearS, end_time: newYearS + 3600 };
  const batch = { ...result, num_model_requests: 50, batch: true };
  const page = { object: "page", data: [{ ...bucket, results: [result, batch] }], has_more: false, next_page: null };
  const seen = [];
  for (const [name, text] of [
    ["a.csv", csv],
    ["a.json", JSON.stringify(page, undefined, 2)],
    ["pages.json", JSON.stringify([page])],
  ] as const) {
    const { workloads } = await read(name, text, "openai");
    assert.equal(workloads.length, 2);
    for (const { requests } of workloads) {
      assert.ok(Math.abs(requests.length - 400) < 80, String(requests.length));
      assert.ok(requests.every(({ inputTokens, outputTokens }) => inputTokens === 100 && outputTokens === 20));
      assert.ok(requests.every(({ atMs, tenant }) => atMs >= 0 && atMs < 3_600_000 && tenant === "proj_a"));
      assert.ok(requests.every(({ atMs }, index) => index === 0 || atMs >= requests[index - 1]!.atMs));
    }
    assert.notDeepEqual(workloads[0]!.requests, workloads[1]!.requests);
    assert.match(workloads[0]!.notes.join("\n"), /Poisson[\s\S]*50 batch requests/);
    seen.push(workloads.map(({ requests }) => requests));
  }
  assert.deepEqual(seen[0], seen[1]);
  assert.deepEqual(seen[0], seen[2]);
});

test("the busiest stretch is planned for", async (context) => {
  const read = await reader(context);
  const csv = [
    openaiHeader,
    `${newYearS},${newYearS + 3600},,,p,60,,,gpt-4o,False,,6000,600,0`,
    `${newYearS + 3600},${newYearS + 7200},,,p,6000,,,gpt-4o,False,,600000,60000,0`,
  ].join("\n");
  const { workloads } = await read("a.csv", csv, "openai", 10);
  assert.match(workloads[0]!.notes.join("\n"), /busiest 10 minutes.*2026-01-01T01:00:00/);
  assert.ok(Math.abs(workloads[0]!.requests.length - 1000) < 150);
  const row = { model: "m", tenant: "t", requests: 1, inputTokens: 1, outputTokens: 0 };
  const at = (minute: number) => ({ ...row, fromMs: minute * 60_000 + 1, toMs: minute * 60_000 + 1 });
  assert.deepEqual(busiestWindow([0, 5, 6, 6, 20].map(at), 2), { fromMs: 300_000, toMs: 420_000 });
});

test("a name without a stand-in stops the reading, and all such names are told", async (context) => {
  const read = await reader(context);
  const rows = [
    spendLog({ model_group: "claude-sonnet-4" }),
    spendLog({ model_group: "o3" }),
    spendLog({ model_group: "o3" }),
    spendLog({ model_group: "qwen2.5-7b" }),
  ];
  await assert.rejects(
    read("a.json", JSON.stringify(rows), "litellm"),
    /o3 \(2 requests\), claude-sonnet-4 \(1 req.*--map/,
  );
  assert.throws(() => parseStandIns("gpt-4o"), /gpt-4o=qwen2\.5-72b/);
  assert.throws(() => parseStandIns("gpt-4o=qwen2.5-7"), /mean "qwen2\.5-7b"/);
  assert.throws(() => parseStandIns("a=qwen2.5-7b,a=qwen2.5-7b"), /twice/);
});

test("a row that cannot be meant is told with its file and line", async (context) => {
  const read = await reader(context);
  const spend = (fields: Readonly<Record<string, unknown>>): string =>
    JSON.stringify([spendLog({ note: 'a "\\" }]\n,' }), spendLog(fields)], undefined, 1);
  const result = { num_model_requests: 5, input_tokens: 10, output_tokens: 5, model: "gpt-4o" };
  const page = (requests: unknown) => ({
    data: [{ start_time: 0, end_time: 60, results: [result, { ...result, num_model_requests: requests }] }],
  });
  const cases: readonly [string, string, UsageFormat, RegExp][] = [
    ["a.json", spend({ prompt_tokens: -1 }), "litellm", /a\.json:17: prompt_tokens is -1/],
    ["a.json", spend({ startTime: "yesterday" }), "litellm", /a\.json:17: startTime is "yesterday"/],
    ["a.json", spend({ completion_tokens: undefined }), "litellm", /a\.json:17: completion_tokens is missing/],
    ["a.jsonl", '{"a":1}\n{"b":\n', "litellm", /a\.jsonl:2: neither/],
    ["a.json", "[]", "litellm", /no request for text/],
    ["a.csv", "startTime,model\n", "litellm", /a\.csv:1: the header lacks prompt_tokens/],
    ["b.csv", `${openaiHeader}\n1,0,,,p,1,,,gpt-4o,False,,1,1,0\n`, "openai", /b\.csv:2: end_time/],
    ["b.csv", `${openaiHeader}\n0,60,,,p,1,,,,False,,1,1,0\n`, "openai", /b\.csv:2: model is empty.*group_by=model/],
    ["b.csv", `${openaiHeader}\n0,60,,,p,x,,,gpt-4o,False,,1,1,0\n`, "openai", /b\.csv:2: num_model_requests is "x"/],
    ["b.json", '{"data":[\n{"start_time":0}\n]}', "openai", /b\.json:2: a bucket has results/],
    // In one line the line alone says nothing.
    [
      "l.json",
      JSON.stringify([spendLog({}), spendLog({ model: 7, model_group: "" })]),
      "litellm",
      /l\.json:1: model is missing \(row 2\)$/,
    ],
    ["l.json", JSON.stringify([spendLog({}), 7]), "litellm", /l\.json:1: this is no object \(row 2\)$/],
    [
      "l.jsonl",
      `${JSON.stringify(spendLog({}))}\n${JSON.stringify(spendLog({ prompt_tokens: -1 }))}`,
      "litellm",
      /l\.jsonl:2: prompt_tokens is -1[^(]*$/,
    ],
    [
      "l.json",
      JSON.stringify([page(5), page("x")]),
      "openai",
      /l\.json:1: num_model_requests is "x"[^(]*\(page 2, row 1, result 2\)$/,
    ],
    ["l.json", JSON.stringify(page(-1)), "openai", /l\.json:1: num_model_requests is -1[^(]*\(row 1, result 2\)$/],
  ];
  for (const [name, text, format, message] of cases) await assert.rejects(read(name, text, format), message);
  await assert.rejects(
    readUsage({ path: "/nowhere.csv", format: "openai", standIns, minutes: 1, seeds: 1 }),
    /no such/,
  );
});

test("a trace, or the other export, is told by what it is", async (context) => {
  const read = await reader(context);
  const mooncake = '{"timestamp": 0, "input_length": 1, "output_length": 1, "hash_ids": []}\n';
  const azure = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03,3,4\n";
  for (const format of ["litellm", "openai"] as const) {
    const not = `and not like ${format}: give`;
    await assert.rejects(
      read("a.jsonl", mooncake, format),
      new RegExp(`looks like mooncake, ${not} mooncake as its format$`),
    );
    await assert.rejects(read("a.csv", azure, format), new RegExp(`looks like azure, ${not} azure as its format$`));
  }
  const result = { num_model_requests: 5, input_tokens: 10, output_tokens: 5, model: "gpt-4o" };
  const buckets = { data: [{ start_time: newYearS, end_time: newYearS + 60, results: [result] }] };
  await assert.rejects(read("b.json", JSON.stringify(buckets), "litellm"), /looks like openai, and not like litellm/);
  await assert.rejects(
    read("b.json", JSON.stringify([spendLog({})]), "openai"),
    /looks like litellm, and not like openai/,
  );
});

test("the line of an element is found through whatever stands before it", () => {
  const value = { a: ["]", { b: '\\"{[' }, []], data: [1, -2.5e3, null, { x: [true] }, "\n"], c: {} };
  const text = JSON.stringify(value, undefined, 2);
  const lines = text.split("\n");
  assert.match(lines[lineOfElement(text, ["data", 0]) - 1]!, /^ +1,/);
  assert.match(lines[lineOfElement(text, ["data", 2]) - 1]!, /null/);
  assert.match(lines[lineOfElement(text, ["data", 3, "x", 0]) - 1]!, /true/);
  assert.match(lines[lineOfElement(text, ["a", 1, "b"]) - 1]!, /"b"/);
  assert.match(lines[lineOfElement(text, ["c"]) - 1]!, /"c"/);
});
