import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { createIds, type HostTokenId, ManualClock, type Refusal, systemClock } from "../base/index.ts";
import { hostProtocol } from "../host/index.ts";
import { openStore, type Store } from "../store/index.ts";
import { type TemporaryPostgres, temporaryPostgres } from "../store/testing.ts";
import {
  createMembers,
  createMembership,
  formatJoinToken,
  type HostTokenMade,
  type Member,
  type Membership,
  parseJoinToken,
} from "./index.ts";

let postgres: TemporaryPostgres;
let store: Store;
let membership: Membership;
const clock = new ManualClock(Date.parse("2026-12-01T12:00:00Z"));
const ids = createIds(systemClock);
const gateway = "g".repeat(43);
let isReached = true;
/** What happens once while a machine is looked for. */
let meanwhile: (() => Promise<unknown>) | undefined;
let isOpen = true;
const asked: string[] = [];

before(async () => {
  postgres = await temporaryPostgres();
  const connection = await postgres.emptyDatabase();
  const opened = await openStore({ connection, installation: ids.mint("inst"), clock, log: () => undefined });
  if (opened.outcome === "refused") throw new Error(opened.message);
  store = opened;
  membership = createMembership({
    db: store.db,
    clock,
    ids,
    randomBytes: (count) => randomBytes(count),
    gateway,
    sites: () => new Set(["fr", "us"]),
    isOpen: () => isOpen,
    clockSkewMs: 5_000,
    reach: async ({ host, port }) => {
      asked.push(`${host} ${port}`);
      const between = meanwhile;
      meanwhile = undefined;
      await between?.();
      return isReached;
    },
    onChange: () => Promise.resolve(),
    onFailure: (error) => assert.fail(String(error)),
  });
});

after(async () => {
  await store.close();
  await postgres.remove();
});

function granted<Result>(result: Result | Refusal): Exclude<Result, Refusal> {
  if (typeof result === "object" && result !== null && "outcome" in result) throw new Error(JSON.stringify(result));
  return result as Exclude<Result, Refusal>;
}

const newToken = async (site = "fr", seconds = 60): Promise<HostTokenMade> =>
  granted(await membership.createToken(site, seconds));
const newKey = (): string => randomBytes(32).toString("base64url");

type Asked = Parameters<Membership["join"]>[0];

function join(token: string | undefined, key: string, more: Partial<Asked> = {}) {
  const request = {
    protocol: hostProtocol,
    version: "0.1.0",
    secret: token === undefined ? null : parseJoinToken(token)!.secret,
    site: null,
    address: { host: null, port: 7_443 },
    atMs: clock.nowMs(),
    ...more,
  };
  return membership.join(request, key, "192.0.2.7");
}

const codeOf = async (answer: ReturnType<typeof join>): Promise<string> => {
  const refusal = await answer;
  return "outcome" in refusal ? refusal.code : "joined";
};

test("a token reads as it was written, and anything else is none", () => {
  const token = { secret: "s".repeat(43), gateway };
  assert.deepEqual(parseJoinToken(formatJoinToken(token)), token);
  const text = formatJoinToken(token);
  for (const torn of ["", text.slice(0, -1), text.slice(1), `${text}x`, text.replace(".", "")]) {
    assert.equal(parseJoinToken(torn), undefined, torn);
  }
});

test("a token makes one host, also where two machines come with it at once; nothing of its secret is kept", async () => {
  const { token, id } = await newToken();
  const keys = [newKey(), newKey(), newKey()];
  const codes = await Promise.all(keys.map((key) => codeOf(join(token, key))));
  assert.deepEqual(codes.toSorted(), ["join_token_used", "join_token_used", "joined"]);
  const row = await store.db
    .selectFrom("hostTokens")
    .selectAll()
    .where("id", "=", id as HostTokenId)
    .executeTakeFirstOrThrow();
  assert.ok(!JSON.stringify(row).includes(parseJoinToken(token)!.secret));
  const [told] = granted(await membership.listTokens({ limit: 1, after: undefined })).items;
  assert.equal(told!.state, "used");
  const { items } = granted(await membership.listHosts({ limit: 10, after: undefined }));
  assert.deepEqual(
    items.map(({ site, key, address }) => [site, key, address]),
    [["fr", keys[codes.indexOf("joined")], "192.0.2.7:7443"]],
  );
});

test("what is refused uses no token up, and each reason has its code", async () => {
  const { token } = await newToken();
  const key = newKey();
  assert.equal(await codeOf(join(undefined, key)), "join_token_invalid");
  assert.equal(await codeOf(join(formatJoinToken({ secret: "x".repeat(43), gateway }), key)), "join_token_invalid");
  assert.equal(await codeOf(join(token, key, { protocol: hostProtocol + 1 })), "version_mismatch");
  for (const aheadMs of [-5_001, 5_001]) {
    assert.equal(await codeOf(join(token, key, { atMs: clock.nowMs() + aheadMs })), "clock_skew");
  }
  assert.equal(await codeOf(join(token, key, { site: "us" })), "site_mismatch");
  asked.length = 0;
  isReached = false;
  assert.equal(await codeOf(join(token, key, { address: { host: "10.0.0.7", port: 1 } })), "host_unreachable");
  assert.deepEqual(asked, ["10.0.0.7 1"]);
  for (const host of ["a b", "fe80::1%eth0", "http://x", "x/y"]) {
    assert.equal(await codeOf(join(token, key, { address: { host, port: 1 } })), "host_unreachable", host);
  }
  isReached = true;
  assert.equal(await codeOf(join(token, key, { site: "fr", atMs: clock.nowMs() + 5_000 })), "joined");
});

test("nobody without a token makes the gateway connect anywhere", async () => {
  asked.length = 0;
  await join(undefined, newKey());
  assert.deepEqual(asked, []);
});

test("a token ends at its time, or when it is revoked; one that was used is not revoked any more", async () => {
  const short = await newToken("fr", 10);
  clock.advance(10_000);
  assert.equal(await codeOf(join(short.token, newKey())), "join_token_expired");
  const other = await newToken();
  assert.equal(granted(await membership.revokeToken(other.id)).state, "revoked");
  assert.equal(await codeOf(join(other.token, newKey())), "join_token_invalid");
  const used = await newToken();
  assert.equal(await codeOf(join(used.token, newKey())), "joined");
  assert.equal(granted(await membership.revokeToken(used.id)).state, "used");
});

test("a host is known by its key: it comes back without a token, at another address, and never at another site", async () => {
  const { token } = await newToken("us");
  const key = newKey();
  const first = granted(await join(token, key));
  assert.equal(first.isNew, true);
  const again = granted(await join(undefined, key, { address: { host: "10.0.0.9", port: 8 } }));
  assert.deepEqual(again, { ...first, isNew: false, address: "10.0.0.9:8" });
  assert.deepEqual(
    granted(await join(token, key)),
    { ...first, isNew: false },
    "an answer that was lost is given again",
  );
  assert.equal(await codeOf(join(undefined, key, { site: "fr" })), "site_mismatch");
  const toFr = await newToken("fr");
  assert.equal(granted(await join(toFr.token, key)).site, "us", "no token moves a host");
  assert.equal(await codeOf(join(toFr.token, newKey())), "joined", "and none is used up by that");
});

test("a revoked host is told so, for ever, and whoever follows hears of it", async () => {
  let members: readonly Member[] = [];
  const following = await createMembers({
    db: store.db,
    clock,
    onChange: (all) => (members = all),
    onFailure: (error) => assert.fail(String(error)),
  });
  const key = newKey();
  const { host } = granted(await join((await newToken()).token, key));
  await following.refresh();
  assert.deepEqual(members.find(({ id }) => id === host)!.address, { host: "192.0.2.7", port: 7_443 });
  assert.notEqual(granted(await membership.revokeHost(host)).revokedAt, null);
  await following.refresh();
  assert.equal(
    members.some(({ id }) => id === host),
    false,
  );
  await following.close();
  assert.equal(await codeOf(join(undefined, key)), "host_revoked");
  assert.equal(await codeOf(join((await newToken()).token, key)), "host_revoked");
  const unknown = await membership.revokeHost("host_0");
  assert.ok("outcome" in unknown && unknown.code === "not_found");
});

test("a key that comes with two tokens at once is one host, at one site, and one that is revoked meanwhile is none", async () => {
  const [toFr, toUs, key] = [await newToken("fr"), await newToken("us"), newKey()];
  meanwhile = () => join(toUs.token, key);
  const late = granted(await join(toFr.token, key));
  assert.deepEqual([late.site, late.isNew], ["us", false]);
  assert.equal(await codeOf(join(toFr.token, newKey())), "joined", "the other token is not used up");
  meanwhile = () => membership.revokeHost(late.host);
  assert.equal(await codeOf(join(undefined, key)), "host_revoked");
  const [again, revoked] = [await newToken("fr"), newKey()];
  meanwhile = async () => {
    const { host } = granted(await join((await newToken("us")).token, revoked));
    await membership.revokeHost(host);
  };
  assert.equal(await codeOf(join(again.token, revoked)), "host_revoked");
});

test("a token needs a declared site, and a gateway that listens", async () => {
  const typo = await membership.createToken("usa", 60);
  assert.ok("outcome" in typo && typo.code === "site_not_declared" && typo.message.includes('Did you mean "us"?'));
  isOpen = false;
  const closed = await membership.createToken("us", 60);
  assert.ok("outcome" in closed && closed.code === "joining_closed");
  isOpen = true;
});
