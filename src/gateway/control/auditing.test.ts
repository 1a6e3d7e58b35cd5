import assert from "node:assert/strict";
import test from "node:test";
import { z } from "zod";
import { ManualClock, refuse } from "../../base/index.ts";
import { createAudited } from "./auditing.ts";
import { fakeToken, startFakeControl } from "./fake-control.ts";
import { createFakeAudit } from "./fake-rights.ts";
import { route } from "./route.ts";
import type { AuditEntry } from "./rights-wire.ts";

async function started(
  context: { after: (run: () => Promise<void>) => void },
  identify?: Parameters<typeof startFakeControl>[0],
) {
  const control = await startFakeControl(identify);
  context.after(control.close);
  const ask = async (method: string, path: string, body?: object, token = fakeToken) => {
    const response = await fetch(`${control.url}/control/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  };
  const entries = async () => (await ask("GET", "/audit")).json["items"] as AuditEntry[];
  return { ask, entries, control };
}

test("every change is recorded: who, whose, what it was and what it is, and never a secret", async (context) => {
  const { ask, entries, control } = await started(context);
  await ask("POST", "/organisations", { name: "ministry" });
  const project = await ask("POST", "/projects", { organisation: "ministry", name: "app" });
  await ask("PATCH", "/projects/app", { weight: 3 });
  const key = await ask("POST", "/keys", { project: "app" });
  await ask("POST", "/projects", { organisation: "nobody", name: "x" });
  const [refused, made, changed, ...before] = await entries();
  assert.equal(before.length, 2);
  assert.deepEqual([refused?.action, refused?.outcome, refused?.code], ["createProject", "refused", "not_found"]);
  assert.equal(made?.project, project.json["id"]);
  assert.deepEqual(made?.changes["key"], [null, "(a secret)"]);
  assert.deepEqual(changed?.changes, { weight: [1, 3] });
  assert.deepEqual(changed?.actor, { kind: "operator", name: "operator" });
  const all = JSON.stringify((control.operations.audit as ReturnType<typeof createFakeAudit>).entries);
  assert.ok(!all.includes(String(key.json["key"])));
});

test("a secret that stands where a name belongs is not recorded, whoever it belongs to", async (context) => {
  const { ask, entries, control } = await started(context);
  const secrets = ["bwk", "bwo", "bwj"].map((prefix) => `${prefix}_${"s3cret-_".repeat(5)}`);
  for (const secret of secrets) {
    assert.equal((await ask("POST", `/keys/${secret}/revoke`, {})).status, 404);
    assert.equal((await ask("POST", `/operators/${secret}/revoke`, {})).status, 404);
  }
  assert.equal((await entries())[0]?.object, "(a secret)");
  const all = JSON.stringify((control.operations.audit as ReturnType<typeof createFakeAudit>).entries);
  for (const secret of secrets) assert.ok(!all.includes(secret), secret);
});

test("a key that calls again and again leaves a bounded log, and another key need not wait for it", async (context) => {
  const tenant = (secret: string) => ({
    key: { id: secret.replace("bwk", "key"), permissions: new Set(["erase"] as const), reach: "project" },
    project: { id: "prj_1" },
    organisation: { id: "org_1" },
  });
  const { ask, control } = await started(context, tenant);
  const { entries } = control.operations.audit as ReturnType<typeof createFakeAudit>;
  const erase = (token: string) => ask("POST", "/erasures", { project: "nobody's" }, token);
  const statuses = new Map<number, number>();
  for (let count = 0; count < 300; count++) {
    const { status } = await erase("bwk_fast");
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  assert.deepEqual(
    [...statuses],
    [
      [404, 240],
      [429, 60],
    ],
  );
  assert.equal(entries.length, 480);
  assert.equal((await erase("bwk_slow")).status, 404);
  control.clock.advance(250);
  assert.equal((await erase("bwk_fast")).status, 404);
  assert.equal((await erase("bwk_fast")).status, 429);
  // Operators are people whom somebody has let in.
  for (let count = 0; count < 300; count++) assert.equal((await ask("POST", "/keys/x/revoke", {})).status, 404);
});

test("a named operator's calls bear the name, and a revoked token opens nothing", async (context) => {
  const { ask, entries } = await started(context);
  const kim = await ask("POST", "/operators", { name: "kim", country: "DE" });
  const token = String(kim.json["token"]);
  assert.equal((await ask("POST", "/organisations", { name: "ours" }, token)).status, 201);
  assert.equal((await entries())[0]?.actor.name, "kim");
  assert.equal((await ask("POST", "/operators/kim/revoke", {})).status, 200);
  assert.equal((await ask("GET", "/organisations", undefined, token)).status, 403);
});

test("what cannot be recorded is not done; an end that cannot be is told, and the change stands", async () => {
  const clock = new ManualClock();
  const call = {
    request: "req_1",
    asker: { kind: "operator", name: "kim", country: null } as const,
    params: {},
    query: {},
    body: {},
  };
  const made = route(
    { method: "POST", path: "/x", permission: "operator", name: "x", summary: "x", group: "x", answer: z.object({}) },
    () => Promise.resolve({}),
  );
  const tenancy = {} as never;
  let appended = 0;
  const failing = (from: number) => ({
    ...createFakeAudit(clock),
    append: () => (++appended >= from ? Promise.reject(new Error("away")) : Promise.resolve()),
  });
  const failures: unknown[] = [];
  let isDone = false;
  const work = () => {
    isDone = true;
    return Promise.resolve({});
  };
  await assert.rejects(createAudited(failing(1), tenancy, () => undefined)(made, call, work), /away/);
  assert.equal(isDone, false);
  appended = 0;
  await createAudited(failing(2), tenancy, (error) => failures.push(error))(made, call, work);
  assert.equal(isDone, true);
  assert.equal(failures.length, 1);
  const audit = createFakeAudit(clock);
  const refused = () => Promise.resolve(refuse("name_taken", "It is taken."));
  await createAudited(audit, tenancy, () => undefined)(made, call, refused);
  await assert.rejects(
    createAudited(audit, tenancy, () => undefined)(made, call, () => Promise.reject(new Error("no"))),
  );
  assert.deepEqual(
    audit.entries.map(({ outcome }) => outcome),
    ["asked", "refused", "asked", "failed"],
  );
});

test("an export that is streamed is on record as begun, and then as done or as broken off", async (context) => {
  const { control } = await started(context);
  const { entries } = control.operations.audit as ReturnType<typeof createFakeAudit>;
  const made = Promise.withResolvers<void>();
  const rest = Promise.withResolvers<void>();
  let isWhole = true;
  Object.assign(control.operations.exports, {
    organisation: () =>
      Promise.resolve({
        lines: (async function* () {
          yield { part: "organisation", row: { id: "org_1" } };
          if (isWhole) return;
          made.resolve();
          await rest.promise;
          for (;;) yield { part: "organisation", row: { text: "x".repeat(100_000) } };
        })(),
      }),
  });
  await control.operations.tenancy.createOrganisation({ name: "leaving", limits: {} });
  const post = (signal?: AbortSignal) =>
    fetch(`${control.url}/control/v1/exports`, {
      method: "POST",
      headers: { authorization: `Bearer ${fakeToken}`, "content-type": "application/json" },
      body: JSON.stringify({ organisation: "leaving" }),
      ...(signal === undefined ? {} : { signal }),
    });
  const outcomes = () => entries.filter(({ action }) => action === "exportOrganisation").map(({ outcome }) => outcome);
  const until = async (count: number) => {
    while (outcomes().length < count) await new Promise((resolve) => setImmediate(resolve));
  };
  await (await post()).text();
  await until(3);
  assert.deepEqual(outcomes(), ["asked", "begun", "done"]);
  isWhole = false;
  const leaving = new AbortController();
  const answer = await post(leaving.signal);
  await made.promise;
  assert.deepEqual(outcomes().slice(3), ["asked", "begun"], "it is not over yet");
  leaving.abort();
  await assert.rejects(answer.text());
  rest.resolve();
  await until(6);
  assert.deepEqual(outcomes().slice(3), ["asked", "begun", "broken"]);
});
