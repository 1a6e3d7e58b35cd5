import assert from "node:assert/strict";
import { test } from "node:test";
import { Printer } from "./printer.ts";
import { showGrouped } from "./replay.ts";

test("rows of a replay that read alike are one row with all of their requests, the largest first", () => {
  const written: string[] = [];
  const output = { write: (text: string) => written.push(text) > 0 };
  const printer = new Printer({ argv: [], stdout: output, stderr: output, environment: {} });
  const rows = [
    { project: "a", requests: 2 },
    { project: "b", requests: 4 },
    { project: "a", requests: 3 },
  ];
  const columns = [{ title: "PROJECT", text: ({ project }: (typeof rows)[number]) => project }];
  showGrouped(printer, rows, columns, ({ requests }) => requests);
  const lines = written.join("").trimEnd().split("\n");
  assert.deepEqual(
    lines.map((line) => line.trim()),
    ["REQUESTS  PROJECT", "5  a", "4  b"],
  );
});
