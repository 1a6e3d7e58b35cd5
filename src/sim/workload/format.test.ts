import assert from "node:assert/strict";
import { test } from "node:test";
import { readWorkload, readWorkloads, type WorkloadSource } from "./format.ts";
import { traceFolder } from "./testing.ts";

const pdf = '{"input_tokens": {"5": 1}, "output_tokens": {"6": 1}}';

const files = {
  aegaeon: ["a.csv.gz", ["Request Time,Model Name,Input Length,Output Length", "00:00:00.054,m,1,2"]],
  azure: ["b.csv", ["\ufeffTIMESTAMP,ContextTokens,GeneratedTokens", "2023-11-16 18:17:03.9799600,3,4"]],
  servegen: [
    "c-arrivals.csv",
    ["client_id,window_start_s,rate_rps,cv,family,param1,param2", "1,0,1,1,Gamma,1,1", "2,0,1,1,Gamma,1,1"],
  ],
  mooncake: ["d.jsonl", ['{"timestamp": 0, "input_length": 7, "output_length": 8, "hash_ids": [1]}']],
} as const;

test("a workload is synthetic by its prefix, or has the format that its first line shows or that is given", async (context) => {
  const synthetic = await readWorkload({ workload: "synthetic:2x1", seed: 1, minutes: 1 });
  assert.equal(synthetic.name, "synthetic:2x1");
  const folder = await traceFolder(context);
  await folder.write("c-lengths.jsonl", [`{"client_id": 1, "window_start_s": 0, "pdf": ${pdf}}`]);
  const lengths: Record<keyof typeof files, readonly [number, number]> = {
    aegaeon: [1, 2],
    azure: [3, 4],
    servegen: [5, 6],
    mooncake: [7, 8],
  };
  for (const format of ["aegaeon", "azure", "servegen", "mooncake"] as const) {
    const [name, lines] = files[format];
    const workload = await folder.write(name, lines);
    const guessed = await readWorkload({ workload, seed: 1, minutes: 1 });
    const { inputTokens, outputTokens } = guessed.requests[0]!;
    assert.deepEqual([inputTokens, outputTokens], lengths[format], format);
    assert.deepEqual(await readWorkload({ workload, format, seed: 1, minutes: 1 }), guessed);
  }
});

test("what is generated is another workload for every seed, a recording is one, whole", async (context) => {
  const folder = await traceFolder(context);
  await folder.write("c-lengths.jsonl", [`{"client_id": 1, "window_start_s": 0, "pdf": ${pdf}}`]);
  const seeded = { seeds: 3, minutes: 0.5 };
  const recorded = await readWorkloads({ workload: await folder.write(...files.aegaeon), ...seeded });
  assert.equal(recorded.length, 1);
  for (const workload of ["synthetic:2x1", await folder.write(...files.servegen)]) {
    const generated = await readWorkloads({ workload, ...seeded });
    assert.equal(new Set(generated.map(({ requests }) => JSON.stringify(requests))).size, 3, workload);
    assert.ok(generated.every(({ requests }) => requests.every(({ atMs }) => atMs <= 30_000)));
  }
});

test("no more requests are held for all seeds together than for one", async () => {
  const many = { workload: "synthetic:100x10", seeds: 1000, minutes: 1 };
  await assert.rejects(readWorkloads(many), {
    name: "WorkloadError",
    message: /^about 60,.* requests.*or fewer seeds$/,
  });
});

test("options reach who they are for", async (context) => {
  const folder = await traceFolder(context);
  const rows = Array.from({ length: 6 }, (_, index) => `2023-11-16 18:17:0${index},3,4`);
  const azure = await folder.write("b.csv", [files.azure[1][0], ...rows]);
  const modelsOf = async (more: Partial<WorkloadSource>) => {
    const { requests } = await readWorkload({ workload: azure, seed: 1, ...more });
    return new Set(requests.map(({ model }) => model)).size;
  };
  assert.equal(await modelsOf({}), 1);
  assert.equal(await modelsOf({ map: "one" }), 1);
  assert.equal(await modelsOf({ models: 3 }), 3);
  assert.equal(await modelsOf({ map: "split", models: 3 }), 3);
  assert.equal(await modelsOf({ map: "split 2" }), 2);
  assert.equal(await modelsOf({ map: "split:2", models: 2 }), 2);
  const servegen = await folder.write(files.servegen[0], files.servegen[1]);
  await folder.write("c-lengths.jsonl", [`{"client_id": 1, "window_start_s": 0, "pdf": ${pdf}}`]);
  const source = { workload: servegen, seed: 1, minutes: 5, startS: 300, rate: 4, map: "split 2,tenants" };
  const { requests } = await readWorkload(source);
  assert.equal(requests.length, 1200);
  const dealt = new Set(requests.map(({ model, tenant }) => `${model} ${tenant}`));
  assert.deepEqual([...dealt].sort(), ["model-01 client-1", "model-02 client-2"]);
});

test("a trace of another format than is said is told by the one that it looks like, for every two", async (context) => {
  const folder = await traceFolder(context);
  for (const like of ["aegaeon", "azure", "servegen", "mooncake"] as const) {
    const [name, lines] = files[like];
    const workload = await folder.write(name, lines);
    for (const said of ["aegaeon", "azure", "servegen", "mooncake"].filter((format) => format !== like)) {
      const message = new RegExp(`: looks like ${like} \\(.+\\), and not like ${said}: give ${like} as its format$`);
      await assert.rejects(readWorkload({ workload, format: said, seed: 1, minutes: 1 }), {
        name: "WorkloadError",
        message,
      });
    }
  }
  const columns = `${files.azure[1][0]},Request Time,Model Name,Input Length,Output Length`;
  const both = await folder.write("both.csv", [columns, "2023-11-16 18:17:03,3,4,00:00:01,m,5,6"]);
  for (const [format, inputTokens] of [
    ["azure", 3],
    ["aegaeon", 5],
  ] as const) {
    const { requests } = await readWorkload({ workload: both, format, seed: 1 });
    assert.equal(requests[0]!.inputTokens, inputTokens, "what it has of another as well is no contradiction");
  }
});

test("what does not apply, contradicts itself or is not known is refused with what to do", async (context) => {
  const folder = await traceFolder(context);
  const aegaeon = await folder.write(...files.aegaeon);
  const azure = await folder.write(...files.azure);
  const servegen = await folder.write(...files.servegen);
  const lengths = await folder.write("c-lengths.jsonl", [`{"client_id": 1, "window_start_s": 0, "pdf": ${pdf}}`]);
  const other = await folder.write("other.csv", ["a,b", "1,2"]);
  const empty = await folder.write("empty.csv", []);
  const list = await folder.write("list.json", ['[{"startTime": "2026-01-01"}]']);
  const cases: readonly (readonly [Omit<WorkloadSource, "seed">, RegExp])[] = [
    [{ workload: "synthetic:1x0.000001", minutes: 1 }, /no request comes in 1 minutes by seed 1: ask for more minutes/],
    [{ workload: "synthetic:2x1" }, /minutes: say for how long the synthetic workload/],
    [{ workload: servegen }, /minutes: say for how long the servegen workload/],
    [{ workload: "synthetic:2x1", minutes: 1, rate: 2 }, /rate: does not apply to synthetic workloads/],
    [{ workload: "synthetic:2x1", minutes: 1, format: "azure" }, /format: does not apply to synthetic workloads/],
    [{ workload: aegaeon, models: 2 }, /models: does not apply to aegaeon; leave it out/],
    [{ workload: azure, rate: 2 }, /rate: does not apply to azure/],
    [{ workload: azure, map: "tenants" }, /map: "tenants" needs clients/],
    [{ workload: azure, map: "split" }, /map: "split" needs a number of models/],
    [{ workload: azure, map: "splt 2" }, /map: "splt 2" is unknown; there are "one", "split N" and "tenants"/],
    [{ workload: azure, map: "" }, /map: "" is unknown/],
    [{ workload: azure, map: "split 2", models: 3 }, /"split 2" and 3 models contradict each other/],
    [{ workload: azure, map: "split 0" }, /map: "split 0" needs a number of models from 1 to 10000/],
    [{ workload: azure, models: 1.5 }, /models: 1.5 is not a whole number from 1/],
    [{ workload: azure, format: "azur" }, /format: "azur" is unknown; there are aegaeon.*Did you mean azure\?/],
    [{ workload: other, format: "aegaeon" }, /:1: the header lacks Request Time/],
    [{ workload: list, format: "azure" }, /list.json: is JSON, but azure \(TIMESTAMP, .*\) is CSV/],
    [{ workload: list, format: "mooncake" }, /list.json:1: the line is not one JSON object/],
    [{ workload: lengths, format: "mooncake" }, /these are ServeGen's lengths; give the arrivals/],
    [{ workload: lengths }, /these are ServeGen's lengths; give the arrivals/],
    [{ workload: other }, /no known format; there are aegaeon \(Request Time.*; mooncake \(timestamp/],
    [{ workload: empty }, /empty.csv: the file is empty/],
    [{ workload: `${folder.path}/nosuch` }, /there is no such file$/],
    [{ workload: "syntetic:64x0.1" }, /no such file; what is generated begins with synthetic: .*synthetic:64x0.1/],
    [{ workload: " " }, /workload: is empty; name a file/],
    [{ workload: folder.path }, /that is a folder; give a file in it, of ServeGen's the arrivals: c-arrivals.csv$/],
    [{ workload: folder.path, format: "servegen" }, /that is a folder; .*c-arrivals.csv$/],
  ];
  for (const [source, message] of cases) {
    await assert.rejects(readWorkload({ seed: 1, ...source }), { name: "WorkloadError", message }, String(message));
  }
});
