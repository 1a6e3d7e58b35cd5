import assert from "node:assert/strict";
import { test } from "node:test";
import { listItem, paragraph, table } from "./markdown.ts";

test("a table has its columns under one another, numbers to the right", () => {
  assert.equal(
    table(
      ["policy", "H100"],
      [
        ["ours", "7"],
        ["serverlessllm", "16"],
      ],
    ),
    [
      "| policy        | H100 |",
      "| ------------- | ---: |",
      "| ours          |    7 |",
      "| serverlessllm |   16 |",
    ].join("\n"),
  );
});

test("a cell that a row does not have is empty", () => {
  assert.match(table(["a", "b"], [["x"]]), /\| x {3}\| {5}\|$/);
});

test("a paragraph breaks between words, and only where a line would be too long", () => {
  assert.equal(paragraph("one  two\n   three", 9), "one two\nthree");
  assert.equal(paragraph("a-word-that-is-longer than that", 9), "a-word-that-is-longer\nthan that");
});

test("an item's further lines are indented", () => {
  const item = listItem("word ".repeat(40));
  assert.ok(item.startsWith("- word"));
  assert.ok(
    item
      .split("\n")
      .slice(1)
      .every((line) => line.startsWith("  word")),
  );
});
