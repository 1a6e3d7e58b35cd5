import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { NetworkConnections } from "../../../src/gateway/control/index.ts";
import { formatVerifierKey, verifierKeyOf } from "../../../src/log/index.ts";
import { testModel } from "../../models.ts";
import { ask, control, makeKey } from "../asking.ts";
import { commandFails, startCloud, temporaryFolder } from "../cloud.ts";
import { program } from "../up.ts";
import { readTrace, type Trace, traced } from "./trace.ts";

const [clinicHost, overseasHost, witnessHost] = ["10.77.1.2", "10.77.1.3", "10.77.1.4"] as const;
const repository = fileURLToPath(new URL("../../../", import.meta.url));
const folder = temporaryFolder();

before(() => {
  const ip = (...args: string[]): void => void execFileSync("ip", args);
  ip("link", "set", "lo", "up");
  // Addresses that are not this machine's loopback; there is no route to any other.
  ip("link", "add", "near", "type", "veth", "peer", "name", "far");
  for (const host of [clinicHost, overseasHost, witnessHost]) ip("addr", "add", `${host}/32`, "dev", "near");
  ip("link", "set", "near", "up");
  ip("link", "set", "far", "up");
});
after(() => folder.remove());

/** An upstream that answers, and keeps what it was sent. */
interface Recorded {
  readonly url: string;
  readonly bodies: string[];
  readonly others: string[];
  close(): void;
}

async function upstream(host: string, context: TestContext): Promise<Recorded> {
  const [bodies, others]: [string[], string[]] = [[], []];
  const server: Server = createServer((request, response) => void answer(request, response));
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const part of request) body += String(part);
    const { stream, messages } = (body === "" ? {} : JSON.parse(body)) as { stream?: boolean; messages?: unknown };
    if (messages === undefined) others.push(`${request.method} ${request.url} ${body}`);
    else bodies.push(body);
    const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
    if (request.method === "GET") return json(response, { object: "list", data: [{ id: "m", object: "model" }] });
    const choice = { index: 0, finish_reason: "stop" };
    if (stream !== true) {
      const choices = [{ ...choice, message: { role: "assistant", content: "ANSWERED" } }];
      return json(response, { id: "c", object: "chat.completion", choices, usage });
    }
    const chunk = {
      id: "c",
      object: "chat.completion.chunk",
      choices: [{ ...choice, delta: { content: "ANSWERED" } }],
    };
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end([chunk, { ...chunk, choices: [], usage }].map(event).join("") + "data: [DONE]\n\n");
  }
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): void => (server.close(), server.closeAllConnections());
  context.after(close);
  return { url: `http://${host}:${port}/v1`, bodies, others, close };
}

const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;

function json(response: ServerResponse, value: unknown): void {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(value));
}

function witnessKey(): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  return formatVerifierKey(verifierKeyOf("cosignature", { name: "auditor", privateKey }));
}

const listed = ({ connections }: NetworkConnections): Set<string> =>
  new Set(connections.filter(({ host }) => host !== null).map(({ host, port }) => `${host}:${port}`));

/** What no policy has to permit: this machine's own sockets, below the folders that the cloud has made. */
function checkMachine(trace: Trace): void {
  assert.ok(trace.count > 1_000, `${trace.count} system calls were looked at`);
  const elsewhere = [...trace.sockets].filter(
    (path) => !/^\/tmp\/bailiwick-(host-)?[A-Za-z0-9]+\//.test(path) && path !== "/var/run/nscd/socket",
  );
  assert.deepEqual(elsewhere, [], "sockets");
  const permitted = [
    folder.path,
    "/dev/null",
    "/dev/shm/PostgreSQL.",
    "/tmp/bailiwick-",
    // Node's compiled code: no more than this repository's own.
    join(repository, "node_modules/.cache/bailiwick"),
  ];
  const strayed = [...trace.written].filter((path) => !permitted.some((prefix) => path.startsWith(prefix)));
  assert.deepEqual(strayed, [], "writes");
  assert.ok(trace.written.size > 100, `${trace.written.size} paths were written`);
}

/** Every file below a folder that holds a text. */
function filesWith(text: string, below: string): string[] {
  return readdirSync(below, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(text));
}

test("every connection and every write is permitted: under load, with an upstream that goes and one that may not be used", async (context) => {
  const [clinic, overseas] = [await upstream(clinicHost, context), await upstream(overseasHost, context)];
  const file = join(folder.path, "trace");
  const data = join(folder.path, "data");
  const operator = "Netz GmbH";
  const cloud = await startCloud({
    data,
    under: traced(file),
    readyWithinMs: 120_000,
    settings: JSON.stringify({
      engine: { kind: "fake" },
      models: { serve: ["fake"] },
      site: { name: "berlin", jurisdiction: "DE", operator },
      upstreams: [
        { name: "clinic", url: clinic.url, site: { name: "clinic", jurisdiction: "DE", operator } },
        { name: "overseas", url: overseas.url, site: { name: "overseas", jurisdiction: "US", operator: "Other Inc" } },
      ],
      log: {
        // Nobody listens there: that it was tried is seen all the same.
        witnesses: [{ name: "auditor", url: `http://${witnessHost}:9/log`, key: witnessKey() }],
      },
    }),
  });
  context.after(() => cloud.kill());
  const projects = [
    { name: "ward", dataClass: "personal", processing: ["DE"] },
    { name: "press", dataClass: "public", processing: [] },
    { name: "nowhere", dataClass: "personal", processing: ["FR"] },
  ];
  const keys = new Map<string, string>();
  for (const project of projects) {
    await control(cloud, "POST", "/projects", { organisation: "default", ...project });
    keys.set(project.name, await makeKey(cloud, "k", { project: project.name }));
  }
  const widening = [
    {},
    { "bailiwick-data-class": "public" },
    { "bailiwick-processing": "US" },
    { "bailiwick-site": "overseas" },
    { "bailiwick-purpose": "anything" },
  ];
  const statuses = new Map<string, Set<number | undefined>>();
  const load = async (count: number): Promise<void> => {
    const turns = Array.from({ length: count }, (_, index) => index);
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) {
          const { name } = projects[turn % projects.length]!;
          const seen = await ask({
            url: cloud.url,
            key: keys.get(name)!,
            content: `SECRET-OF-${name}`,
            stream: turn % 2 === 0,
            more: { model: turn % 4 === 3 ? "fake" : "m" },
            headers: widening[turn % widening.length] as Record<string, string>,
          });
          statuses.set(name, (statuses.get(name) ?? new Set()).add(seen.status));
        }
      }),
    );
  };
  await load(300);
  const permitted = await cloud.command<NetworkConnections>("network");
  clinic.close();
  await load(120);
  assert.equal(await cloud.stop(), 0);

  const names = (upstreamName: string): string[] =>
    permitted.connections.find(({ name }) => name === upstreamName)!.projects.map(({ name }) => name);
  assert.deepEqual(names("clinic").toSorted(), ["default", "press", "ward"]);
  assert.deepEqual(
    names("overseas").filter((name) => name !== "default"),
    ["press"],
  );
  assert.ok(statuses.get("ward")!.has(200) && statuses.get("press")!.has(200));
  assert.ok(!statuses.get("nowhere")!.has(200), "what may be nowhere is answered nowhere");

  const trace = readTrace(file, process.cwd());
  const beyond = [...trace.addresses].filter((address) => address !== new URL(cloud.url).host);
  assert.deepEqual(new Set(beyond), new Set([...listed(permitted)].filter((address) => address.startsWith("10.77."))));
  checkMachine(trace);

  assert.ok(clinic.bodies.some((body) => body.includes("SECRET-OF-ward")));
  assert.ok(overseas.bodies.some((body) => body.includes("SECRET-OF-press")));
  assert.deepEqual(
    [...overseas.bodies, ...overseas.others].filter((body) => /OF-(ward|nowhere)/.test(body)),
    [],
  );
  assert.deepEqual(
    clinic.bodies.filter((body) => body.includes("OF-nowhere")),
    [],
  );
  for (const text of ["SECRET-OF-", "ANSWERED"]) {
    assert.deepEqual(filesWith(text, data), [], "no prompt and no answer is written");
    assert.ok(!cloud.output().includes(text), "nor logged");
  }
});

test("an air-gapped cloud connects to nothing, and serves a real model that came by a bundle", async (context) => {
  const [medium, data, file] = [
    join(folder.path, "medium"),
    join(folder.path, "apart"),
    join(folder.path, "apart-trace"),
  ];
  const { name, path } = await testModel();
  // Where there is a network: a data folder whose models were pulled.
  const connected = ["--data", join(folder.path, "connected"), "--config", join(folder.path, "connected.yaml")];
  writeFileSync(connected[3]!, JSON.stringify({ models: { folder: dirname(dirname(path)) } }));
  const exported = await bailiwick("bundle", "export", name, "--to", medium, "--json", ...connected);
  const keys = join(folder.path, "keys.json");
  writeFileSync(keys, await bailiwick("bundle", "key", ...connected.slice(0, 2)));

  const apart = ["--data", data, "--config", join(folder.path, "apart.yaml")];
  const settings = JSON.stringify({ network: { airGapped: true }, models: { serve: [name] } });
  writeFileSync(apart[3]!, settings);
  const refused = await commandFails(["model", "pull", name, ...apart]);
  assert.match(refused.stderr, /air-gapped, and pulls nothing/);
  const imported = await bailiwick("bundle", "import", medium, "--key", keys, "--json", ...apart);
  const [model] = (JSON.parse(imported) as { models: { sha256: string; wasHere: boolean }[] }).models;
  assert.deepEqual([model!.sha256, model!.wasHere], [(JSON.parse(exported) as Exported).models[0]!.sha256, false]);

  const cloud = await startCloud({ data, settings, under: traced(file), readyWithinMs: 120_000 });
  context.after(() => cloud.kill());
  const key = await makeKey(cloud, "k");
  const seen = await ask({ url: cloud.url, key, more: { model: name, max_tokens: 4 } });
  assert.equal(seen.status, 200, seen.text);
  const { airGapped, connections } = await cloud.command<NetworkConnections>("network");
  assert.deepEqual([airGapped, connections], [true, []]);
  assert.equal(await cloud.stop(), 0);
  const trace = readTrace(file, process.cwd());
  assert.deepEqual(
    [...trace.addresses].filter((address) => address !== new URL(cloud.url).host),
    [],
  );
  checkMachine(trace);
});

interface Exported {
  readonly models: readonly { readonly sha256: string }[];
}

/** What a command prints. */
async function bailiwick(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [program, ...args], { encoding: "utf8" })).stdout;
}
