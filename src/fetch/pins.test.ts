import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { filePins } from "./file-pins.ts";
import { browserPins, memoryPins, verifying } from "./index.ts";

test("each store gives back what was written last, for each log its own", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bailiwick-pins-"));
  const items = new Map<string, string>();
  const storage = {
    getItem: (name: string) => items.get(name) ?? null,
    setItem: (name: string, value: string) => void items.set(name, value),
  };
  try {
    const where = join(folder, "pins");
    for (const pins of [memoryPins(), browserPins(storage), filePins(where)]) {
      assert.equal(await pins.read("a.example/../log"), undefined);
      await pins.write("a.example/../log", "1");
      await pins.write("a.example/../log", "2");
      await pins.write("b.example/log", "3");
      assert.deepEqual([await pins.read("a.example/../log"), await pins.read("b.example/log")], ["2", "3"]);
    }
    assert.equal(await filePins(where).read("b.example/log"), "3");
    assert.equal((await readdir(where)).length, 2);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("keys that are none are refused before anything is asked", () => {
  const pins = memoryPins();
  assert.throws(() => verifying({ logKeys: [], pins }), /names no key/);
  assert.throws(() => verifying({ logKeys: ["log.example"], pins }), /no such key/);
  const witness = "witness.example/w1+04d2d833+BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM";
  assert.throws(() => verifying({ logKeys: [witness], pins }), /of another type/);
  const witnesses = { keys: [witness], quorum: 2 };
  assert.throws(() => verifying({ logKeys: [], pins, witnesses }), /between 1 and 1/);
});
