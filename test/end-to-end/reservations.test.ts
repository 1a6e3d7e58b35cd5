import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { commandFails, startCloud, temporaryFolder } from "./cloud.ts";

const folder = temporaryFolder();
after(() => folder.remove());

interface Told {
  readonly id: string;
  readonly state: string;
  readonly device: string | null;
}

test("a reserved device is nobody else's, also after a restart, until the reservation is ended", async () => {
  const options = { data: join(folder.path, "data"), arguments: ["--engine", "fake"] };
  const cloud = await startCloud(options);
  const { destinations } = await cloud.command<{ destinations: { name: string }[] }>("status");
  const device = destinations[0]!.name;
  const asked = ["reservation", "create", "--project", "default", "--device", device, "--hours", "24"];
  const made = await cloud.command<Told>(...asked);
  assert.deepEqual([made.state, made.device], ["active", device]);
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
