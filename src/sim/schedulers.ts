import { type Fleet, Pool, type Scheduler } from "../pool/index.ts";
import type { SimulatedRequest } from "./outcome.ts";
import { Aegaeon } from "./policies/aegaeon.ts";
import { Dedicated } from "./policies/dedicated.ts";
import { FifoSwap } from "./policies/fifo-swap.ts";
import { LruSwap } from "./policies/lru-swap.ts";
import { MuxServe } from "./policies/muxserve.ts";
import { PrismCode } from "./policies/prism-code.ts";
import { PrismPaper } from "./policies/prism-paper.ts";
import { artifactServerlessLlmOptions, ServerlessLlm } from "./policies/serverless-llm.ts";
import { SimulationError } from "./problem.ts";

/** One way to set a policy up. Where there are several, an experiment keeps the best: it cannot be told beforehand. */
export interface Variant {
  readonly name: string;
  /** `requests`: all that will come, for what knows the future. */
  create(fleet: Fleet, requests: readonly SimulatedRequest[]): Scheduler;
}

type Policy = (devices: number) => readonly Variant[];

const policies: Readonly<Record<string, Policy>> = {
  ours: only("ours", (fleet) => new Pool(fleet)),
  dedicated: only("dedicated", (fleet) => new Dedicated(fleet)),
  "serverlessllm-fcfs": only("serverlessllm-fcfs", (fleet) => new ServerlessLlm(fleet)),
  "serverlessllm-sjf": only("serverlessllm-sjf", oracle),
  "serverlessllm-artifact": only(
    "serverlessllm-artifact",
    (fleet) => new ServerlessLlm(fleet, artifactServerlessLlmOptions),
  ),
  muxserve: only("muxserve", muxServe),
  "lru-swap": only("lru-swap", (fleet) => new LruSwap(fleet)),
  "fifo-swap": only("fifo-swap", (fleet) => new FifoSwap(fleet)),
  aegaeon: (devices) =>
    divisions(devices).map((prefill) => ({
      name: `aegaeon, ${prefill} of ${devices} for prefill`,
      create: (fleet) => new Aegaeon(fleet, prefill),
    })),
  "prism-paper": only("prism-paper", (fleet) => new PrismPaper(fleet)),
  "prism-code": only("prism-code", (fleet) => new PrismCode(fleet)),
};

export const policyNames: readonly string[] = Object.keys(policies);

export function variantsOf(policy: string, devices: number): readonly Variant[] {
  const found = Object.hasOwn(policies, policy) ? policies[policy] : undefined;
  if (found === undefined) {
    throw new SimulationError(`there is no policy "${policy}"; there are ${policyNames.join(", ")}`);
  }
  const variants = found(devices);
  if (variants.length === 0) throw new SimulationError(`${policy} needs more than ${devices} device(s)`);
  return variants;
}

function only(name: string, create: Variant["create"]): Policy {
  return () => [{ name, create }];
}

function oracle(fleet: Fleet, requests: readonly SimulatedRequest[]): Scheduler {
  const lengths = new Map(requests.map(({ id, outputTokens }) => [id, outputTokens]));
  return new ServerlessLlm(fleet, { order: "sjf", outputTokensOf: (id) => lengths.get(id) ?? 1 });
}

/** It is told what each model will be asked: a static placement is made from what is known of the past. */
function muxServe(fleet: Fleet, requests: readonly SimulatedRequest[]): Scheduler {
  const counts = new Map<string, number>();
  for (const { model } of requests) counts.set(model, (counts.get(model) ?? 0) + 1);
  const seconds = Math.max(1, (requests.at(-1)?.atMs ?? 0) / 1000);
  return new MuxServe(fleet, { ratePerSecond: ({ id }) => (counts.get(id) ?? 0) / seconds });
}

/** Every division of the devices up to 16, and about as many of more. */
function divisions(devices: number): number[] {
  const step = Math.max(1, Math.round(devices / 16));
  const found: number[] = [];
  for (let prefill = 1; prefill < devices; prefill += step) found.push(prefill);
  return found;
}
