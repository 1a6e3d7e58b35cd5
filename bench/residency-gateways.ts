/**
 * What residency and receipts add to a gateway's processor time: two gateways before the same backend, one with all of it
 * and one without (residency-off/hooks.ts says what that is), in alternating rounds of the same run.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Bailiwick, startBailiwick } from "./bailiwick.ts";
import { type Child, start, startListening } from "./children.ts";
import { runAndCount } from "./counted.ts";
import { asksBackend, upstreamSettings } from "./gateway-targets.ts";
import { median } from "./statistics.ts";

const modes = ["on", "off"] as const;
type Mode = (typeof modes)[number];
const shapes = ["request", "stream"] as const;
type AskedShape = (typeof shapes)[number];

interface Cost {
  readonly round: number;
  readonly mode: Mode;
  readonly shape: AskedShape;
  readonly requests: number;
  /** Of the gateway's process, and of PostgreSQL below it. */
  readonly microseconds: number;
  readonly childrenMicroseconds: number;
}

export interface OnAndOff {
  readonly costs: readonly Cost[];
  readonly medians: Readonly<Record<AskedShape, Compared>>;
}

interface Compared {
  readonly onMicroseconds: number;
  readonly offMicroseconds: number;
  readonly onChildrenMicroseconds: number;
  readonly offChildrenMicroseconds: number;
  /** The median of the rounds' own, not of medians: both of a round met the same machine. */
  readonly ratio: number;
}

export interface GatewaysPlan {
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
}

const connections = 64;

export async function measureOnAndOff(
  plan: GatewaysPlan,
  folder: string,
  progress: (line: string) => void,
): Promise<OnAndOff> {
  const children: Child[] = [];
  try {
    const backend = await startListening("./backend.ts");
    children.push(backend.child);
    const generator = start(process.execPath, [new URL("./load.ts", import.meta.url).pathname]);
    children.push(generator);
    const gateways = new Map<Mode, Bailiwick>();
    for (const mode of modes) {
      progress(`starting a gateway, ${mode}`);
      const gateway = await startGateway(mode, folder, backend.port);
      children.push(gateway.child);
      gateways.set(mode, gateway);
    }
    const measure = async (mode: Mode, shape: AskedShape, durationMs: number) => {
      const target = { name: mode, ...gateways.get(mode)!, asks: asksBackend };
      return runAndCount(generator, target, shape, { kind: "closed", connections, durationMs });
    };
    for (const mode of modes) for (const shape of shapes) await measure(mode, shape, plan.warmUpMs);
    const costs: Cost[] = [];
    for (let round = 0; round < plan.rounds; round++) {
      for (const shape of shapes) {
        // Whoever comes second meets the machine as the first has left it: they take turns at that.
        for (const mode of round % 2 === 0 ? modes : modes.toReversed()) {
          const { requests, cpuMs, childrenCpuMs } = await measure(mode, shape, plan.durationMs);
          const [microseconds, childrenMicroseconds] = [cpuMs, childrenCpuMs].map((each) => (each / requests) * 1_000);
          const cost = { microseconds: microseconds!, childrenMicroseconds: childrenMicroseconds! };
          costs.push({ round, mode, shape, requests, ...cost });
          progress(`round ${round + 1}/${plan.rounds} ${shape} ${mode}: ${cost.microseconds.toFixed(0)} us each`);
        }
      }
    }
    return { costs, medians: { request: compared(costs, "request"), stream: compared(costs, "stream") } };
  } finally {
    await Promise.all(children.toReversed().map((child) => child.stop(15_000)));
  }
}

const evidence = { class: "operator-attested", on: "2026-01-01" };
const owner = { name: "a founder", country: "DE", votesPercent: 100, capitalPercent: 100 };
/** Where the backend is, as the settings say it too. */
const facts = {
  operators: [{ name: "Bench GmbH", seat: "DE", owners: [owner], evidence }],
  sites: [{ name: "bench", jurisdiction: "DE", operator: "Bench GmbH", accessFrom: [], evidence }],
};

/** Personal data under a regime, by facts, with receipts, their meanings and the log; or none of it. */
async function startGateway(mode: Mode, folder: string, backendPort: number): Promise<Bailiwick> {
  const isOn = mode === "on";
  // On a machine that is short of processors the database's word may come late, and personal data would stop.
  const patient = "database:\n  whenAway:\n    afterMs: 60000\n";
  const settings = `${upstreamSettings(backendPort)}${patient}${isOn ? "" : "receipts:\n  meanings: none\n"}`;
  const hooks = new URL("./residency-off/hooks.ts", import.meta.url).href;
  const environment: Record<string, string> = isOn ? {} : { NODE_OPTIONS: `--import=${hooks}` };
  const gateway = await startBailiwick({ folder: join(folder, mode), settings, environment });
  try {
    const file = join(folder, mode, "facts.json");
    await writeFile(file, JSON.stringify(facts));
    await gateway.command("facts", "apply", file);
    const rules = ["--data-class", "personal", "--processing", "EU", "--regimes", "eu-personal-data"];
    await gateway.command("project", "update", "default", ...rules);
    return gateway;
  } catch (error) {
    await gateway.child.stop();
    throw error;
  }
}

function compared(costs: readonly Cost[], shape: AskedShape): Compared {
  const of = (mode: Mode) => costs.filter((cost) => cost.shape === shape && cost.mode === mode);
  const [on, off] = [of("on"), of("off")];
  return {
    onMicroseconds: median(on.map(({ microseconds }) => microseconds)),
    offMicroseconds: median(off.map(({ microseconds }) => microseconds)),
    onChildrenMicroseconds: median(on.map(({ childrenMicroseconds }) => childrenMicroseconds)),
    offChildrenMicroseconds: median(off.map(({ childrenMicroseconds }) => childrenMicroseconds)),
    ratio: median(on.map(({ microseconds }, index) => microseconds / off[index]!.microseconds)),
  };
}
