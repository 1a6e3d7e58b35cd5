import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readReply, timestampRequest, verifyTimestamp } from "./index.ts";
import { lacksAuthority, type TestAuthority, testAuthority } from "./testing.ts";

const data = Buffer.from("example.com/log\n7\nAAAA=\n");
const nonce = Buffer.from("ff00112233445566", "hex");
let authority: TestAuthority;
before(async () => {
  if (lacksAuthority === false) authority = await testAuthority();
});
after(() => authority?.remove());

test(
  "an authority's token over bytes dates them, by its certificate or its issuer's",
  { skip: lacksAuthority },
  async () => {
    const reply = await authority.reply(timestampRequest(data, nonce));
    const stamped = readReply(reply, { data, nonce });
    assert.ok(stamped.outcome === "stamped", JSON.stringify(stamped));
    for (const certificates of [authority.certificate, authority.issuer]) {
      const dated = await verifyTimestamp(reply, data, certificates);
      assert.deepEqual(dated, { outcome: "dated", atMs: stamped.atMs, by: "CN=Test authority" });
    }
  },
);

test(
  "a token does not count over other bytes, by another authority, or with its time or its signature changed",
  { skip: lacksAuthority },
  async () => {
    const reply = await authority.reply(timestampRequest(data, nonce));
    const outcomeOf = async (bytes: Buffer, over: Buffer, by: Buffer) =>
      (await verifyTimestamp(bytes, over, by)).outcome;
    assert.equal(await outcomeOf(reply, Buffer.from("others"), authority.issuer), "invalid");
    assert.equal(await outcomeOf(reply, data, authority.stranger), "invalid", "of the same name, with another key");
    assert.equal(await outcomeOf(reply, data, Buffer.from("no certificate")), "invalid");
    assert.equal(await outcomeOf(Buffer.from("no reply"), data, authority.issuer), "invalid");
    assert.equal(await outcomeOf(Buffer.alloc(0), data, authority.issuer), "invalid");
    const at = reply.indexOf(Buffer.from("Z")) - 2;
    for (const place of [at, reply.length - 3]) {
      const flipped = Buffer.from(reply);
      flipped.writeUInt8(flipped.readUInt8(place) ^ 1, place);
      assert.equal(await outcomeOf(flipped, data, authority.certificate), "invalid", `byte ${place}`);
    }
  },
);

test("a reply to another request is not kept", { skip: lacksAuthority }, async () => {
  const reply = await authority.reply(timestampRequest(data, nonce));
  const reasonOf = (asked: { data: Buffer; nonce: Buffer }) => {
    const read = readReply(reply, asked);
    return read.outcome === "refused" ? read.reason : "stamped";
  };
  assert.match(reasonOf({ data, nonce: Buffer.alloc(8, 7) }), /another request/);
  assert.match(reasonOf({ data: Buffer.from("others"), nonce }), /other bytes/);
  assert.equal(readReply(Buffer.from("<html>"), { data, nonce }).outcome, "refused");
  // PKIStatusInfo ::= SEQUENCE { status 2 (rejection) }
  assert.match(JSON.stringify(readReply(Buffer.from("30053003020102", "hex"), { data, nonce })), /status 2/);
});

test("a certificate that is not for time-stamping dates nothing", { skip: lacksAuthority }, async () => {
  await assert.rejects(async () => {
    const other = await testAuthority("other");
    try {
      // OpenSSL itself refuses to sign with it.
      await other.reply(timestampRequest(data, nonce));
    } finally {
      other.remove();
    }
  });
});
