import assert from "node:assert/strict";
import { test } from "node:test";
import { bundlePath, isResource, tilePath } from "./index.ts";
import { levelsOf, outgrown, partialWidth, widthOf } from "./tiles.ts";

test("paths are those of the specification's examples", () => {
  assert.equal(tilePath(0, 1_234_067, 256), "tile/0/x001/x234/067");
  assert.equal(tilePath(0, 1_234_067, 112), "tile/0/x001/x234/067.p/112");
  assert.equal(tilePath(63, 5, 1), "tile/63/005.p/1");
  assert.equal(bundlePath(999, 256), "tile/entries/999");
  assert.equal(bundlePath(1_000, 255), "tile/entries/x001/000.p/255");
  assert.equal(tilePath(0, 35_184_372_088_831, 256), "tile/0/x035/x184/x372/x088/831");
});

test("a tree of 70,000 has the tiles that the specification names, and one of 256 too", () => {
  assert.deepEqual(
    [0, 1, 2].map((level) => partialWidth(level, 70_000)),
    [112, 17, 1],
  );
  assert.equal(widthOf(0, 272, 70_000), 256);
  assert.equal(widthOf(0, 273, 70_000), 112);
  assert.equal(widthOf(1, 0, 70_000), 256);
  assert.equal(levelsOf(70_000), 3);
  assert.deepEqual(
    [0, 1].map((level) => partialWidth(level, 256)),
    [0, 1],
  );
  assert.equal(levelsOf(0), 0);
  assert.equal(levelsOf(Number.MAX_SAFE_INTEGER), 7);
});

test("partial tiles are outgrown once their full tile is there, and not before", () => {
  assert.deepEqual(outgrown(100, 255), []);
  assert.deepEqual(outgrown(100, 256), ["tile/0/000.p", "tile/entries/000.p"]);
  assert.deepEqual(outgrown(256, 512), []);
  assert.deepEqual(outgrown(65_535, 65_536), ["tile/0/255.p", "tile/entries/255.p", "tile/1/000.p"]);
});

test("what a server may serve is what a log of its size has, and nothing else", () => {
  const size = 70_000;
  const has = ["checkpoint", "tile/0/000", "tile/0/273.p/112", "tile/0/273.p/1", "tile/1/001.p/17", "tile/2/000.p/1"];
  for (const path of [...has, "tile/0/100.p/255", "tile/entries/272", "tile/entries/273.p/112"]) {
    assert.ok(isResource(path, size), path);
  }
  const beyond = [
    "tile/0/273",
    "tile/0/273.p/113",
    "tile/entries/273",
    "tile/1/001",
    "tile/3/000.p/1",
    "tile/63/000.p/1",
  ];
  const others = ["", "state", "batches", "/checkpoint", "tile/64/000", "tile/00/000", "tile/0/0", "tile/0/x000/000"];
  const partials = ["tile/0/000.p/256", "tile/0/000.p/0", "tile/0/000.p/01", "tile/0/000.p", "tile/0/000.new"];
  const paths = ["tile/0/../state", "tile/0/001/000", "tile/0/000\n", "tile/entries/../../state", "tile/-1/000"];
  for (const path of [...beyond, ...others, ...partials, ...paths]) assert.ok(!isResource(path, size), path);
  assert.ok(isResource("tile/0/x001/x234/067", 2_000_000_000));
  assert.ok(!isResource("tile/0/000.p/1", 0));
});
