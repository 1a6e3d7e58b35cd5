import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { type AddressInfo, createServer as createSocketServer } from "node:net";
import { after, before, test, type TestContext } from "node:test";
import { type Clock, ManualClock, systemClock } from "../base/index.ts";
import { type TemporaryPostgres, temporaryPostgres, temporaryStore } from "../store/testing.ts";
import {
  type Alert,
  type AlertChannel,
  createAlerts,
  crossed,
  type Due,
  emailChannel,
  type Level,
  refusedDue,
  unratedDue,
  webhookChannel,
} from "./index.ts";
import { webhookKey, webhookSignature } from "./webhook.ts";

let temporary: TemporaryPostgres;
before(async () => {
  temporary = await temporaryPostgres();
});
after(() => temporary.remove());

const euro = 10n ** 18n;
const level = (used: bigint, more: Partial<Level> = {}): Level => ({
  kind: "budget",
  level: "project",
  id: "prj_1",
  name: "chat",
  occasion: "2026-11",
  used: used * euro,
  limit: 100n * euro,
  currency: "EUR",
  ...more,
});

test("a threshold is reached exactly there, and one of nothing by the first use of it", () => {
  const reached = (each: Level) => crossed([each], [80, 100]).map(({ threshold }) => threshold);
  assert.deepEqual(reached(level(79n)), []);
  assert.deepEqual(reached(level(80n)), [80]);
  assert.deepEqual(reached(level(120n)), [80, 100]);
  assert.deepEqual(reached(level(0n, { limit: 0n })), []);
  assert.deepEqual(reached({ ...level(1n), limit: 0n }), [80, 100]);
  assert.match(
    crossed([level(80n)], [80])[0]!.message,
    /80 % of the monthly budget \(2026-11\) of project chat are used: 80 of 100 EUR/,
  );
});

test("a limit that refuses is told once a month, whatever its thresholds say, and a wallet's once a grant", async (context) => {
  const made = await scene(context);
  const alerts = await made.open([]);
  const refused = { by: "budget", level: "key", id: "key_1", name: "chat", occasion: "2026-11" } as const;
  const amounts = { bound: euro, left: euro / 2n, currency: "EUR" };
  made.others = [refusedDue({ ...refused, ...amounts })];
  await alerts.refresh();
  await alerts.refresh();
  made.others = [
    refusedDue({ ...refused, ...amounts, occasion: "2026-12" }),
    refusedDue({ ...amounts, by: "wallet", level: "organisation", id: "org_1", name: "acme", occasion: "grt_1" }),
  ];
  await alerts.refresh();
  assert.deepEqual(
    made.seen.map(({ kind, scope, occasion }) => [kind, scope, occasion]),
    [
      ["refused", "key_1", "budget 2026-11"],
      ["refused", "key_1", "budget 2026-12"],
      ["refused", "org_1", "wallet grt_1"],
    ],
  );
  assert.match(made.seen[0]!.message, /of key chat has refused a request .* up to 1 EUR, and 0\.5 EUR are left/);
});

interface Scene {
  pass(ms: number): void;
  readonly seen: Alert[];
  levels: readonly Level[];
  others: readonly Due[];
  open(channels: readonly AlertChannel[]): Promise<Awaited<ReturnType<typeof createAlerts>>>;
}

async function scene(context: TestContext): Promise<Scene> {
  let nowMs = Date.parse("2026-11-20T00:00:00Z");
  // Without timers: what is looked at is looked at when a test says so.
  const never = () => () => undefined;
  const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, after: never, every: never };
  const store = await temporaryStore(temporary, systemClock);
  context.after(() => store.close());
  const made: Scene = {
    pass: (ms) => (nowMs += ms),
    seen: [],
    levels: [],
    others: [],
    open: async (channels) => {
      const alerts = await createAlerts({
        db: store.db,
        clock,
        thresholds: [80, 100],
        channels,
        levels: () => Promise.resolve(made.levels),
        others: () => Promise.resolve(made.others),
        onAlert: (alert) => made.seen.push(alert),
        onFailure: (error) => {
          throw error;
        },
      });
      context.after(() => alerts.close());
      return alerts;
    },
  };
  return made;
}

const page = { limit: 10, after: undefined };

test("each threshold is told once a month, over a restart, and delivered until it was taken", async (context) => {
  const made = await scene(context);
  let isDown = true;
  const taken: number[] = [];
  const channel: AlertChannel = {
    name: "webhook",
    send: ({ threshold }) => {
      if (isDown) return Promise.reject(new Error("it is down"));
      taken.push(threshold);
      return Promise.resolve();
    },
  };
  const first = await made.open([channel]);
  made.levels = [level(85n)];
  await first.refresh();
  await first.refresh();
  assert.deepEqual(
    made.seen.map(({ threshold }) => threshold),
    [80],
  );
  const { items } = await first.list(page);
  assert.deepEqual(items[0]!.deliveries, [{ channel: "webhook", state: "waiting", tries: 1, problem: "it is down" }]);
  await first.close();

  isDown = false;
  made.levels = [level(100n)];
  made.others = [unratedDue({ organisation: "org_1", name: "acme", reason: "no_price", period: "2026-11", events: 3 })];
  const second = await made.open([channel]);
  assert.deepEqual(
    taken.toSorted((a, b) => a - b),
    [0, 100],
    "what failed waits for its time",
  );
  made.pass(6_000);
  await second.refresh();
  assert.deepEqual(
    taken.toSorted((a, b) => a - b),
    [0, 80, 100],
  );
  made.others = [];
  made.levels = [level(85n, { occasion: "2026-12" })];
  await second.refresh();
  assert.equal(taken.length, 4);
  const all = (await second.list({ limit: 3, after: undefined })).items;
  assert.deepEqual(
    all.map(({ number, deliveries }) => [number > 1, deliveries[0]!.state]),
    [1, 2, 3].map(() => [true, "delivered"]),
  );
});

test("who never takes an alert is not asked for ever", async (context) => {
  const made = await scene(context);
  let tries = 0;
  const alerts = await made.open([{ name: "email", send: () => Promise.reject(new Error(`no ${++tries}`)) }]);
  made.levels = [level(80n)];
  for (let times = 0; times < 25; times++) {
    await alerts.refresh();
    made.pass(4 * 3_600_000);
  }
  const [alert] = (await alerts.list(page)).items;
  assert.deepEqual(alert!.deliveries, [{ channel: "email", state: "given-up", tries: 20, problem: "no 20" }]);
});

const alert: Alert = { ...crossed([level(80n)], [80])[0]!, number: 7, atMs: Date.parse("2026-11-20T00:00:00Z") };

test("a webhook gets a CloudEvent, signed over id, time and body, and no redirect of it is followed", async (context) => {
  const got: { headers: IncomingHttpHeaders; body: string }[] = [];
  let status = 204;
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString()));
    request.on("end", () => {
      got.push({ headers: request.headers, body });
      response.writeHead(status, { location: "/elsewhere" }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => (server.closeAllConnections(), server.close()));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  const clock = new ManualClock(alert.atMs);
  const channel = webhookChannel({
    url,
    key: Buffer.from("s3cret"),
    allowPrivate: false,
    source: "/installations/i",
    clock,
  });
  await channel.send(alert);
  const { headers, body } = got[0]!;
  assert.equal(headers["content-type"], "application/cloudevents+json");
  const signed = `alert_7.${headers["webhook-timestamp"] as string}.${body}`;
  assert.equal(headers["webhook-signature"], `v1,${createHmac("sha256", "s3cret").update(signed).digest("base64")}`);
  const { data, ...event } = JSON.parse(body) as Record<string, unknown>;
  assert.deepEqual(event, {
    specversion: "1.0",
    id: "alert_7",
    source: "/installations/i",
    type: "bailiwick.alert.budget",
    subject: "prj_1",
    time: "2026-11-20T00:00:00.000Z",
    datacontenttype: "application/json",
  });
  assert.equal((data as { threshold: number }).threshold, 80);
  for (status of [302, 500]) await assert.rejects(channel.send(alert), new RegExp(`answered ${status}`));
  assert.equal(got.length, 3);
});

test("a secret is its text, or behind whsec_ the key that its Base64 is, as Standard Webhooks have it", () => {
  // The example of their specification and libraries.
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const [id, seconds, body] = ["msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, '{"test": 2432232314}'] as const;
  const signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
  assert.equal(webhookSignature(webhookKey(secret)!, id, seconds, body), signature);
  const key = Buffer.from("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "base64");
  const own = createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64");
  assert.equal(`v1,${own}`, signature);
  assert.deepEqual(webhookKey("s3cret"), Buffer.from("s3cret"));
  assert.deepEqual(webhookKey("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")!.length, 32);
  for (const none of ["", "?", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", "a b="]) {
    assert.equal(webhookKey(`whsec_${none}`), undefined, none);
  }
});

for (const host of ["10.0.0.1", "169.254.169.254", "[fd00::1]"]) {
  test(`a webhook at ${host} is not asked unless the settings allow it`, async () => {
    const clock = new ManualClock(alert.atMs);
    const options = { url: `https://${host}/`, key: Buffer.from("s"), allowPrivate: false, source: "/i", clock };
    await assert.rejects(webhookChannel(options).send(alert), /no address of the Internet/);
  });
}

/** A mail server that takes everything (RFC 5321): what it was told, line by line. */
async function mailServer(context: TestContext) {
  const lines: string[] = [];
  const server = createSocketServer((socket) => {
    let isData = false;
    socket.setEncoding("utf8");
    socket.write("220 test\r\n");
    socket.on("data", (text: string) => {
      for (const line of text.split("\r\n").slice(0, -1)) {
        lines.push(line);
        if (isData && line !== ".") continue;
        isData = line === "DATA";
        socket.write(isData ? "354 go on\r\n" : line.startsWith("QUIT") ? "221 bye\r\n" : "250 ok\r\n");
      }
    });
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => server.close());
  return { lines, port: (server.address() as AddressInfo).port };
}

test("an email says what was reached, to everybody that the settings name; without the TLS that they want there is none", async (context) => {
  const { lines, port } = await mailServer(context);
  const options = { host: "127.0.0.1", port, user: undefined, password: undefined, from: "cloud@example.org" };
  const to = ["a@example.org", "b@example.org"];
  await emailChannel({ ...options, security: "none", to }).send(alert);
  for (const said of [
    "RCPT TO:<a@example.org>",
    "RCPT TO:<b@example.org>",
    "Subject: Bailiwick: 80 % of the budget of project chat",
  ]) {
    assert.ok(lines.includes(said), lines.join("\n"));
  }
  assert.ok(lines.some((line) => line.startsWith("80 % of the monthly budget (2026-11) of project chat are used")));
  lines.length = 0;
  await assert.rejects(emailChannel({ ...options, security: "starttls", to }).send(alert));
  assert.ok(!lines.includes("DATA"));
});
