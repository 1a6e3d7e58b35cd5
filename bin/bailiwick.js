#!/usr/bin/env node
// Plain JavaScript, because Node refuses to strip types below node_modules and an old Node cannot strip them at all.
// It picks the built code where there is some and the source in a clone, under Node 24: this package brings that
// version along (an optional dependency), for machines whose own Node is older.
import { existsSync } from "node:fs";
import module from "node:module";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

const built = new URL("../dist/main.js", import.meta.url);
const source = new URL("../src/main.ts", import.meta.url);
const program = existsSync(source) ? source : built;

const { argv, env, execArgv, execPath, platform, arch } = process;
// A server's young objects live for one request. V8 would keep up to 128 MiB of them on a large machine before it looks;
// with this bound it looks more often, the memory stays, and no more time goes into it. Its helper threads leave one
// processor to the thread that answers, which would otherwise wait behind them (docs/reports/benches.md).
const helpers = Math.min(4, Math.max(1, availableParallelism() - 1));
const flags = argv[2] === "up" ? ["--max-semi-space-size=16", `--v8-pool-size=${helpers}`] : [];
const isNewEnough = Number(process.versions.node.split(".")[0]) >= 24;
const node = isNewEnough ? execPath : bundledNode();

if (node === undefined) {
  process.stderr.write(
    `bailiwick needs Node.js 24 or newer; this is ${process.versions.node}. Install Node.js 24 and try again.\n`,
  );
  process.exitCode = 2;
} else if (isNewEnough && flags.every((flag) => execArgv.includes(flag))) {
  // What Node has compiled is kept beside the dependencies: from the second start on, loading takes half the time.
  module.enableCompileCache?.(fileURLToPath(new URL("../node_modules/.cache/bailiwick", import.meta.url)));
  // As the child of an older Node, which `kill -9` ends without a word: a channel that closes is then the stop signal.
  if (process.connected) {
    process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
    process.channel.unref();
  }
  await import(program.href);
} else {
  const args = [...execArgv, ...flags, fileURLToPath(import.meta.url), ...argv.slice(2)];
  // In place where Node can do that, so that no second process stands between a signal and the server.
  if (typeof process.execve === "function") process.execve(node, [node, ...args], env);
  await runAsChild(node, args);
}

function bundledNode() {
  const require = module.createRequire(import.meta.url);
  try {
    return require.resolve(`node-${platform}-${arch}/bin/node`);
  } catch {
    return undefined;
  }
}

/** Runs the newer Node as a child that gets our signals, notices our end, and ends as it ended. */
async function runAsChild(node, args) {
  const { spawn } = await import("node:child_process");
  const child = spawn(node, args, { stdio: ["inherit", "inherit", "inherit", "ipc"] });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  const [code, signal] = await new Promise((resolve) => child.on("exit", (...ended) => resolve(ended)));
  process.exitCode = code ?? 128 + (signal === "SIGINT" ? 2 : 15);
}
