import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { refuse, systemClock } from "../base/index.ts";
import { hostProtocol } from "../host/index.ts";
import { type Identity, openIdentity } from "../tls/index.ts";
import { askToJoin } from "./asking.ts";
import { listenForHosts } from "./listener.ts";

interface Listening {
  readonly gateway: Identity;
  readonly machine: Identity;
  readonly port: number;
}

async function listening(context: TestContext, requestTimeoutMs?: number): Promise<Listening> {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-listener-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const gateway = await openIdentity(join(folder, "gateway"), "gateway");
  const machine = await openIdentity(join(folder, "machine"), "machine");
  const listener = await listenForHosts({
    identity: gateway,
    listen: { host: "127.0.0.1", port: 0 },
    join: () => Promise.resolve({ host: "host_1", site: "fr", address: "127.0.0.1:1", isNew: true }),
    onFailure: (error) => refuse("internal_error", String(error)),
    ...(requestTimeoutMs === undefined ? {} : { requestTimeoutMs }),
  });
  context.after(() => listener.close());
  return { gateway, machine, port: Number(new URL(listener.url).port) };
}

async function idle({ port }: Listening, begin?: string): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
  socket.on("error", () => undefined);
  await once(socket, "secureConnect");
  if (begin !== undefined) socket.write(begin);
  return socket;
}

const joinAs = ({ gateway, machine, port }: Listening) =>
  askToJoin({
    identity: machine,
    address: { host: "127.0.0.1", port },
    gateway: gateway.fingerprint,
    announcement: {
      protocol: hostProtocol,
      version: "0.1.0",
      secret: null,
      site: null,
      address: { host: null, port: 1 },
      atMs: 0,
    },
    clock: systemClock,
  });

test("connections that ask for nothing keep no machine from joining: of one address the oldest goes", async (context) => {
  const there = await listening(context);
  const sockets: TLSSocket[] = [];
  context.after(() => sockets.forEach((socket) => socket.destroy()));
  for (let count = 0; count < 40; count += 1) sockets.push((await idle(there)).resume());
  assert.deepEqual(await joinAs(there), { host: "host_1", site: "fr", address: "127.0.0.1:1", isNew: true });
  for (const socket of sockets.slice(0, 24)) if (!socket.closed) await once(socket, "close");
  assert.ok(sockets.slice(-10).every(({ closed }) => !closed));
});

test("a connection that does not say in time what it wants is closed: nothing, half a head, half a body", async (context) => {
  const there = await listening(context, 200);
  const half = "POST /hosts/v1/join HTTP/1.1\r\nhost: x\r\n";
  for (const begin of [undefined, half, `${half}content-type: application/json\r\ncontent-length: 100\r\n\r\n{`]) {
    const socket = await idle(there, begin);
    socket.resume();
    await once(socket, "close");
  }
});
