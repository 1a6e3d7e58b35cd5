import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { ask, control, makeKey } from "./asking.ts";
import { commandFails, eventually, type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";

const folder = temporaryFolder();
after(() => folder.remove());

interface Told {
  readonly id: string;
  readonly state: string;
  readonly device: string | null;
  readonly warnings: readonly string[];
}

async function deviceOf(cloud: RunningCloud): Promise<string> {
  const { destinations } = await cloud.command<{ destinations: { name: string; kind: string }[] }>("status");
  return destinations.find(({ kind }) => kind === "host")!.name;
}

test("a reserved device is nobody else's, also after a restart, until the reservation is ended", async () => {
  const options = { data: join(folder.path, "data"), arguments: ["--engine", "fake"] };
  const cloud = await startCloud(options);
  const device = await deviceOf(cloud);
  await control(cloud, "POST", "/projects", { organisation: "default", name: "other" });
  const asked = ["reservation", "create", "--project", "default", "--device", device, "--hours", "24"];
  const made = await cloud.command<Told>(...asked);
  assert.deepEqual([made.state, made.device], ["active", device]);
  assert.equal(made.warnings.length, 1);
  assert.match(
    made.warnings[0]!,
    /every device that serves fake is reserved, for default\/default\. Without a device are default\/other: /,
  );
  const share = await cloud.command<Told>(
    "reservation",
    "create",
    "--project",
    "default",
    "--share",
    "0.25",
    "--hours",
    "1",
  );
  assert.equal(await cloud.stop(), 0);

  const again = await startCloud(options);
  const taken = await commandFails([...asked, "--data", options.data, "--json"]);
  assert.equal(taken.code, 2);
  const { error } = JSON.parse(taken.stderr) as { error: { code: string; message: string } };
  assert.equal(error.code, "reservation_conflict");
  assert.ok(error.message.includes(made.id), error.message);
  const ended = await again.command<Told>("reservation", "end", made.id);
  assert.equal(ended.state, "ended");
  const next = await again.command<Told>(...asked);
  const active = await again.command<Told[]>("reservation", "list", "--active");
  assert.deepEqual(new Set(active.map(({ id }) => id)), new Set([share.id, next.id]));
  const today = new Date().toISOString().slice(0, 10);
  const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  const period = ["--from", yesterday, "--to", today];
  const usage = await again.command<{ reservation: string; hours: string }[]>("reservation", "usage", ...period);
  const metered = usage.find(({ reservation }) => reservation === made.id);
  assert.ok(Number(metered?.hours) > 0 && Number(metered?.hours) < 1, JSON.stringify(usage));
  assert.equal(await again.stop(), 0);
});

test("whoever is kept off a reserved device is served where the same model can be had elsewhere", async (context) => {
  const upstream = createServer((request, response) => {
    request.resume();
    const choices = [{ index: 0, message: { role: "assistant", content: "From elsewhere." }, finish_reason: "stop" }];
    response.setHeader("content-type", "application/json");
    const isList = request.url === "/v1/models";
    if (isList) return response.end(JSON.stringify({ data: [{ id: "fake" }] }));
    return response.end(
      JSON.stringify({ choices, usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } }),
    );
  });
  context.after(() => (upstream.close(), upstream.closeAllConnections()));
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`;
  const cloud = await startCloud({
    data: join(folder.path, "beside"),
    arguments: ["--engine", "fake"],
    settings: JSON.stringify({ upstreams: [{ name: "elsewhere", url, endpoints: ["chat.completions"] }] }),
  });
  context.after(() => cloud.kill());
  await control(cloud, "POST", "/projects", { organisation: "default", name: "other" });
  const ready = async (): Promise<readonly boolean[]> =>
    (await control<{ items: { ready: boolean }[] }>(cloud, "GET", "/destinations")).items.map((each) => each.ready);
  await eventually("host and upstream", async () => String(await ready()) === "true,true");
  const key = await makeKey(cloud, "other", { project: "other" });
  const device = await deviceOf(cloud);
  const asked = ["reservation", "create", "--project", "default", "--device", device, "--hours", "1"];
  const made = await cloud.command<Told>(...asked);
  assert.deepEqual(made.warnings, [], "nobody is shut out");
  for (let times = 0; times < 5; times++) {
    const { status, text } = await ask({ url: cloud.url, key });
    assert.equal(status, 200, text);
    assert.match(text, /From elsewhere/);
  }
});
