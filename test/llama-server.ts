import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const wheel = "xllamacpp==2026.10.11549";
const folder = join(tmpdir(), "bailiwick-test-xllamacpp-2026.10.11549");

/** Installs llama.cpp's own server from its wheel, once, beside nothing else of the machine's Python: its folder. */
export async function installed(): Promise<string> {
  if (existsSync(folder)) return folder;
  const beside = mkdtempSync(`${folder}-`);
  const pip = [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--no-deps",
    "--disable-pip-version-check",
    "--target",
    beside,
    wheel,
  ];
  await promisify(execFile)("python3", pip, { timeout: 180_000 });
  try {
    renameSync(beside, folder);
  } catch (error) {
    // Another test was faster.
    if (!existsSync(folder)) throw error;
    rmSync(beside, { recursive: true, force: true });
  }
  return folder;
}

export interface LlamaServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts llama.cpp's server on a model; it ends with this process. */
export async function startLlamaServer(modelPath: string, alias: string): Promise<LlamaServer> {
  const script = fileURLToPath(new URL("./llama-server.py", import.meta.url));
  const child: ChildProcess = spawn("python3", [script, modelPath, alias, "chat"], {
    stdio: ["pipe", "pipe", "ignore"],
    env: { ...process.env, PYTHONPATH: await installed() },
  });
  const lines = createInterface({ input: child.stdout! });
  const ended = once(child, "exit");
  const url = await new Promise<string>((resolve, reject) => {
    lines.on("line", (line) => {
      if (line.startsWith("READY ")) resolve(line.slice(6));
    });
    void ended.then(([code]) => reject(new Error(`llama.cpp's server ended with ${code}`)));
  });
  return {
    url,
    stop: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
