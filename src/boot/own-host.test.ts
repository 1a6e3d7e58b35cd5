import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { environmentOfHosts } from "./own-host.ts";

test("docs/operating/gpus.md lists the variables that choose devices and reach hosts", () => {
  const page = readFileSync(new URL("../../docs/operating/gpus.md", import.meta.url), "utf8");
  const listed = [...page.matchAll(/^\| `([A-Z_]+)` +\|/gm)].map(([, name]) => name!);
  const choosing = environmentOfHosts.filter((name) => name.includes("DEVICE"));
  assert.deepEqual(listed.toSorted(), choosing.toSorted());
});
