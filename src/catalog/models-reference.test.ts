import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { modelEntrySchema } from "./entry.ts";
import { shippedEntries } from "./shipped.ts";

describe("docs/reference/models.md", async () => {
  const text = await readFile(new URL("../../docs/reference/models.md", import.meta.url), "utf8");
  const rows = text.split("\n").map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

  it("lists what is shipped, with its facts", () => {
    const listed = rows.filter((cells) => /^`[0-9a-f]{64}`$/.test(cells[5] ?? ""));
    assert.deepEqual(
      listed,
      shippedEntries.map((entry) => [
        `\`${entry.name}\``,
        `${entry.developer.name}, ${entry.developer.country}`,
        entry.licence.spdx,
        entry.contextTokens.toLocaleString("en"),
        entry.sizeBytes?.toLocaleString("en"),
        `\`${entry.sha256}\``,
      ]),
    );
  });

  it("names every field of an entry", () => {
    for (const field of Object.keys(modelEntrySchema.shape)) {
      assert.ok(
        rows.some(([first = ""]) => first.startsWith(`\`${field}`)),
        `${field} is not in the table`,
      );
    }
  });
});
