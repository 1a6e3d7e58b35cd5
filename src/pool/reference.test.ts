import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { defaultTuning, rules } from "./tuning.ts";

const page = readFileSync(new URL("../../docs/reference/pool.md", import.meta.url), "utf8");

test("docs/reference/pool.md has every number with its default", () => {
  for (const [name, value] of Object.entries(defaultTuning)) {
    if (typeof value !== "number") continue;
    const row = page.split("\n").find((line) => line.startsWith(`| \`${name}\``));
    assert.ok(row !== undefined, name);
    assert.equal(row.split("|")[2]!.trim(), value.toLocaleString("en"), name);
  }
});

test("docs/reference/pool.md and the head of pool.ts have every rule, in the same order", () => {
  const code = readFileSync(new URL("./pool.ts", import.meta.url), "utf8");
  for (const [index, rule] of rules.entries()) {
    assert.match(page, new RegExp(`^${index + 1}\\. \\*\\*\`${rule}\`\\.`, "m"));
    assert.match(code, new RegExp(`^ \\* ${index + 1}\\. \`${rule}\``, "m"));
  }
});
