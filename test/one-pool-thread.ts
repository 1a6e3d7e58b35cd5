import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { basename } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const mostOutputCharacters = 100_000;

/**
 * Defines a file's tests where the process's thread pool has one thread, as the llamacpp engine needs it. In any other
 * process it defines a single test, which runs the file in a child that has.
 */
export async function withOnePoolThread(url: string, define: () => Promise<void> | void): Promise<void> {
  if (process.env["UV_THREADPOOL_SIZE"] === "1") return define();
  const file = fileURLToPath(url);
  await test(`${basename(file)}, in a process with one pool thread`, async (context) => {
    // Without its mark of a test runner's child, the child reports in plain words.
    const { NODE_TEST_CONTEXT: _mark, ...environment } = process.env;
    const child = spawn(process.execPath, [file], {
      env: { ...environment, UV_THREADPOOL_SIZE: "1" },
      stdio: ["ignore", "pipe", "pipe"],
      signal: context.signal,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text: string) => (output = (output + text).slice(-mostOutputCharacters)));
    }
    const code = await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    assert.equal(code, 0, output);
  });
}
