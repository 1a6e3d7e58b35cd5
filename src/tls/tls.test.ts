import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect as connectPlain, createServer as createPlainServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { connect, createServer } from "node:tls";
import { Pool } from "undici";
import { systemClock } from "../base/index.ts";
import {
  connectPinned,
  type Front,
  type Identity,
  openFront,
  openIdentity,
  pinnedConnector,
  serverOptions,
} from "./index.ts";

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-tls-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const identityOf = (context: TestContext, name: string): Promise<Identity> =>
  openIdentity(join(folderOf(context), "tls"), name);

interface Fronted {
  readonly front: Front;
  readonly host: Identity;
  readonly gateway: Identity;
  readonly strangers: (string | undefined)[];
  readonly inner: Set<Socket>;
}

/** A front before a Unix socket that sends everything back. */
async function fronted(context: TestContext, connections = 10): Promise<Fronted> {
  const [host, gateway] = [await identityOf(context, "host"), await identityOf(context, "gateway")];
  const socketPath = join(folderOf(context), "s");
  const inner = new Set<Socket>();
  const echo = createPlainServer((socket) => {
    inner.add(socket.on("error", () => undefined));
    socket.pipe(socket);
  });
  await once(echo.listen(socketPath), "listening");
  const strangers: (string | undefined)[] = [];
  const front = await openFront({
    identity: host,
    listen: { host: "127.0.0.1", port: 0 },
    accepts: gateway.fingerprint,
    socketPath: () => socketPath,
    connections,
    onStranger: (key) => strangers.push(key),
  });
  context.after(() => {
    front.destroy();
    for (const socket of inner) socket.destroy();
    echo.close();
  });
  return { front, host, gateway, strangers, inner };
}

const peer = ({ front, host }: Fronted, identity: Identity) => ({
  identity,
  address: front.address,
  fingerprint: host.fingerprint,
  timeoutMs: 5_000,
  clock: systemClock,
});

test("an identity is made once, is its owner's alone, and one that was tampered with is not used", async (context) => {
  const folder = join(folderOf(context), "tls");
  const first = await openIdentity(folder, "gateway");
  assert.deepEqual(await openIdentity(folder, "another name"), first);
  const path = join(folder, "identity.pem");
  assert.equal(statSync(path).mode & 0o077, 0);
  const certificate = new X509Certificate(first.pem);
  assert.equal(certificate.verify(certificate.publicKey), true);
  assert.equal(certificate.subject, "CN=gateway");
  assert.match(certificate.validTo, /9999/);
  const other = await identityOf(context, "other");
  const torn = `${certificate.toString()}${other.pem.slice(other.pem.indexOf("-----BEGIN PRIVATE"))}`;
  writeFileSync(path, torn);
  await assert.rejects(openIdentity(folder, "gateway"), /its key is not its certificate's/);
});

test("through a front go the bytes of the one key that it accepts, in both directions, whole", async (context) => {
  const through = await fronted(context);
  const socket = await connectPinned(peer(through, through.gateway));
  const sent = Buffer.alloc(3_000_000, "bytes ");
  socket.write(sent);
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of socket as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.length;
    if (length === sent.length) break;
  }
  assert.deepEqual(Buffer.concat(parts), sent);
});

test("another key, or none, reads nothing and reaches nothing", async (context) => {
  const through = await fronted(context);
  const stranger = await identityOf(context, "stranger");
  const shown = { key: stranger.pem, cert: stranger.pem };
  for (const options of [shown, {}]) {
    const { host, port } = through.front.address;
    const socket = connect({ host, port, rejectUnauthorized: false, ...options }, () => socket.write("hello"));
    socket.on("error", () => undefined);
    let heard = "";
    socket.on("data", (part: Buffer) => (heard += part.toString()));
    await once(socket, "close");
    assert.equal(heard, "");
  }
  assert.deepEqual(through.strangers, [stranger.fingerprint, undefined]);
  assert.equal(through.inner.size, 0);
});

test("nothing is sent to a server that holds another key, and why is said", async (context) => {
  const [mine, expected, other] = [
    await identityOf(context, "mine"),
    await identityOf(context, "expected"),
    await identityOf(context, "other"),
  ];
  let heard = "";
  const server = createServer(serverOptions(other), (socket) => {
    socket.on("data", (part: Buffer) => (heard += part.toString()));
    socket.on("error", () => undefined);
  });
  context.after(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as { port: number };
  const address = { host: "127.0.0.1", port };
  const asked = { identity: mine, address, fingerprint: expected.fingerprint, timeoutMs: 5_000, clock: systemClock };
  await assert.rejects(connectPinned(asked), { name: "Error", message: /holds another key/ });
  const pool = new Pool("http://host", { connect: pinnedConnector(asked) });
  context.after(() => pool.destroy());
  await assert.rejects(pool.request({ method: "GET", path: "/secret" }), { code: "NOT_CONNECTED" });
  assert.equal(heard, "");
});

test("the end of either side is the end of the other, and what was sent before it arrives", async (context) => {
  const through = await fronted(context);
  const first = await connectPinned(peer(through, through.gateway));
  first.write("a");
  assert.equal(String((await once(first, "data"))[0]), "a");
  const [inner] = through.inner;
  inner!.end("last words");
  const rest = (await first.toArray()).map(String).join("");
  assert.equal(rest, "last words");
  const second = await connectPinned(peer(through, through.gateway));
  second.write("b");
  await once(second, "data");
  const behind = [...through.inner].at(-1)!;
  second.destroy();
  await once(behind, "close");
});

test("without a socket behind it a front lets nobody wait, and beyond its bound it takes no connection", async (context) => {
  const through = await fronted(context, 1);
  const held = await connectPinned(peer(through, through.gateway));
  // A client is over with its handshake before the server is.
  held.write("a");
  await once(held, "data");
  await assert.rejects(connectPinned({ ...peer(through, through.gateway), timeoutMs: 2_000 }));
  held.destroy();
  const closed = await openFront({
    identity: through.host,
    listen: { host: "127.0.0.1", port: 0 },
    accepts: through.gateway.fingerprint,
    socketPath: () => undefined,
    connections: 10,
    onStranger: assert.fail,
  });
  context.after(() => closed.destroy());
  const socket = await connectPinned({ ...peer(through, through.gateway), address: closed.address });
  await once(socket.resume(), "close");
});

test("strangers who connect and say nothing, however many, do not keep the gateway out", async (context) => {
  const through = await fronted(context, 2);
  const { host, port } = through.front.address;
  const idle: Socket[] = [];
  context.after(() => {
    for (const socket of idle) socket.destroy();
  });
  for (let count = 0; count < 200; count++) {
    const socket = connectPlain(port, host);
    socket.on("error", () => undefined);
    idle.push(socket);
    await once(socket, "connect");
  }
  const socket = await connectPinned(peer(through, through.gateway));
  socket.write("a");
  assert.equal(String((await once(socket, "data"))[0]), "a");
  socket.destroy();
});
