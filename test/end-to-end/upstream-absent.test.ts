import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { temporaryFolder } from "./cloud.ts";
import { startUp, type Started } from "./up.ts";

/** `up --upstream` with a server that is not there, or not as it should be: the terminal says which, and why. */
const folder = temporaryFolder();
const servers: Server[] = [];
const started: Started[] = [];
after(() => {
  for (const { process } of started) process.kill("SIGKILL");
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  folder.remove();
});

async function serverOf(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  port = 0,
): Promise<{ readonly url: string; readonly port: number; readonly server: Server }> {
  const server = createServer(answer).listen(port, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  const bound = (server.address() as AddressInfo).port;
  return { url: `http://127.0.0.1:${bound}/v1`, port: bound, server };
}

/** A small server that chats, for those who have its key. */
function chatting(request: IncomingMessage, response: ServerResponse): void {
  const json = (status: number, value: unknown): void => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  };
  if (request.headers.authorization !== "Bearer right") return json(401, { error: { message: "who are you" } });
  if (request.url === "/v1/models") return json(200, { data: [{ id: "paris" }] });
  if (request.url !== "/v1/chat/completions") return json(404, {});
  let body = "";
  request.setEncoding("utf8").on("data", (part: string) => (body += part));
  request.on("end", () => {
    if ((JSON.parse(body) as { model?: string }).model !== "paris") return json(400, {});
    const event = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(event({ choices: [{ index: 0, delta: { content: "Paris." }, finish_reason: null }] }));
    response.write(event({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }));
    response.write(event({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } }));
    response.end("data: [DONE]\n\n");
  });
}

function up(name: string, url: string, more: readonly string[] = []): Started {
  const args = ["--data", join(folder.path, name), "--upstream", url, "--upstream-key", "UPSTREAM_KEY", ...more];
  const cloud = startUp(args, { environment: { UPSTREAM_KEY: name === "wrong-key" ? "wrong" : "right" } });
  started.push(cloud);
  return cloud;
}

async function saysWhy(cloud: Started, why: RegExp): Promise<void> {
  await cloud.printed(/is up after \d+ ms at \S+, and has no model to serve yet/);
  await cloud.printed(/served upon an answer/);
  const said = cloud.output();
  assert.match(said, new RegExp(`\n  upstream upstream: .*${why.source}`), said);
  const logged = said.split("\n").filter((line) => line.startsWith("{") && line.includes('"upstream away"'));
  assert.match(logged.join("\n"), why, said);
  assert.equal(logged.length, 1, "a reason is logged once, from the first look on");
  assert.doesNotMatch(said, /curl|Bailiwick is ready|MODEL|bwk_|right|"wrong"/, said);
  assert.match(said, /`npx bailiwick key create --project default --data \S+` makes a key/);
}

test("nothing listens: it is said and watched; when the server comes, the first key and the proof are shown", async () => {
  const { server, port, url } = await serverOf(chatting);
  await new Promise((resolve) => server.close(resolve));
  const first = up("dead", url);
  await saysWhy(first, /connection refused: nothing listens there/);
  assert.equal(await first.stop(), 0);
  // Not used up: the next start has nothing to ask either, and then it has.
  const second = up("dead", url);
  await saysWhy(second, /connection refused/);
  await serverOf(chatting, port);
  await second.printed(/shown this once:\s+bwk_\S+[\s\S]*"model": "paris"/);
  assert.match(second.output(), /paris is asked: [\s\S]*Paris\.[\s\S]*receipt +rcpt_\w+: valid/);
  assert.equal(await second.stop(), 0);
  const third = up("dead", url);
  await third.printed(/Bailiwick is ready/);
  assert.doesNotMatch(third.output(), /is asked|bwk_/);
  assert.equal(await third.stop(), 0);
});

test("a wrong key, and a path without the API, are told with what to look at", async () => {
  const { url } = await serverOf(chatting);
  const wrong = up("wrong-key", url);
  await saysWhy(wrong, /answered 401: it does not take the key that it is sent \(--upstream-key/);
  assert.equal(await wrong.stop(), 0);
  const page = await serverOf((_, response) => response.writeHead(404).end("<html>not here</html>"));
  const lost = up("lost", page.url.replace("/v1", ""));
  await saysWhy(lost, /answered 404: its API is not at this URL; .*\/v1/);
  assert.equal(await lost.stop(), 0);
  const hello = await serverOf((_, response) => response.end("<html>hello</html>"));
  const other = up("other", hello.url);
  await saysWhy(other, /answered with something that is no list of models/);
  assert.equal(await other.stop(), 0);
});

test("a proof that fails is told of, and the key is shown all the same", async () => {
  const { url } = await serverOf((request, response) => {
    response.writeHead(request.url === "/v1/models" ? 200 : 500, { "content-type": "application/json" });
    response.end(JSON.stringify(request.url === "/v1/models" ? { data: [{ id: "sulky" }] } : { error: {} }));
  });
  const cloud = up("sulky", url);
  await cloud.printed(/shown this once:\s+bwk_\S+/);
  assert.match(cloud.output(), /The first question failed: .*50\d/);
  assert.equal(await cloud.stop(), 0);
});

test("an address that others reach is warned of, and a model here is served whatever the upstream does", async () => {
  const upstream = ["--upstream", "http://127.0.0.1:1/v1", "--engine", "fake"];
  const cloud = startUp(["--data", join(folder.path, "open"), "--host", "0.0.0.0", ...upstream]);
  started.push(cloud);
  await cloud.printed(/shown this once/);
  const said = cloud.output();
  assert.match(said, /Bailiwick is ready[\s\S]*\n {2}upstream upstream: connection refused/, said);
  assert.match(
    said,
    /\nIt answers plain HTTP on 0\.0\.0\.0, for other machines too: put a proxy with TLS in front of it\.\n/,
  );
  assert.equal(await cloud.stop(), 0);
});
