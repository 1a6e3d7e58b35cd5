#!/usr/bin/env node
// Plain JavaScript, because Node refuses to strip types below node_modules and an old Node cannot strip them at all.
// It picks the built code where there is some and the source in a clone, under Node 24: this package brings that
// version along (an optional dependency), for machines whose own Node is older.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const built = new URL("../dist/main.js", import.meta.url);
const source = new URL("../src/main.ts", import.meta.url);
const program = existsSync(source) ? source : built;

if (Number(process.versions.node.split(".")[0]) >= 24) {
  await import(program.href);
} else {
  const node = bundledNode();
  if (node === undefined) {
    process.stderr.write(
      `bailiwick needs Node.js 24 or newer; this is ${process.versions.node}. Install Node.js 24 and try again.\n`,
    );
    process.exitCode = 2;
  } else {
    const { execve, argv, env } = process;
    if (typeof execve === "function") execve.call(process, node, [node, fileURLToPath(program), ...argv.slice(2)], env);
    await runAsChild(node, [fileURLToPath(program), ...argv.slice(2)]);
  }
}

function bundledNode() {
  const require = createRequire(import.meta.url);
  try {
    return require.resolve(`node-${process.platform}-${process.arch}/bin/node`);
  } catch {
    return undefined;
  }
}

/** Runs the newer Node as a child that gets our signals, and ends as it ended. */
async function runAsChild(node, args) {
  const { spawn } = await import("node:child_process");
  const child = spawn(node, args, { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  const [code, signal] = await new Promise((resolve) => child.on("exit", (...ended) => resolve(ended)));
  process.exitCode = code ?? 128 + (signal === "SIGINT" ? 2 : 15);
}
