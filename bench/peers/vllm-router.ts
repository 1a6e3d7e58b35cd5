/**
 * vllm-router (PyPI, Apache-2.0, Rust), started as its users do, with everything but its policy as it comes. With
 * `round_robin` it passes each request on; its default, `cache_aware`, first asks the engine for the prompt's tokens
 * (`/v1/chat/completions/render`), a second request for each one.
 */
import { existsSync } from "node:fs";
import { type Child, freePort, start, untilReady } from "../children.ts";

const program = new URL("./venv/bin/vllm-router", import.meta.url).pathname;

export type Peer =
  | { readonly outcome: "running"; readonly child: Child; readonly port: number }
  | { readonly outcome: "absent"; readonly why: string };

export async function startVllmRouter(backendPort: number, policy: "round_robin" | undefined): Promise<Peer> {
  if (!existsSync(program)) return { outcome: "absent", why: "not installed: run bench/peers/install" };
  const port = await freePort();
  const settings = {
    host: "127.0.0.1",
    port: String(port),
    "worker-urls": `http://127.0.0.1:${backendPort}`,
    ...(policy !== undefined && { policy }),
    "prometheus-host": "127.0.0.1",
    "prometheus-port": String(await freePort()),
    "worker-startup-check-interval": "1",
    "worker-startup-timeout-secs": "20",
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const child = start(program, flags);
  try {
    await untilReady(child, `http://127.0.0.1:${port}/health`, 30_000);
  } catch (error) {
    await child.stop();
    return { outcome: "absent", why: `did not start: ${String(error)}` };
  }
  return { outcome: "running", child, port };
}
