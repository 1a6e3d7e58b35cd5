/** What is really served: requests of three customers and of the operator's own group, each with a signed receipt. */
import { ask, control, makeKey, usageIn } from "../../test/end-to-end/asking.ts";
import type { RunningCloud } from "../../test/end-to-end/cloud.ts";
import { customers, internal } from "./customers.ts";

export interface Served {
  readonly requests: number;
  /** As the answers themselves said. */
  readonly tokens: number;
  /** By the customer's name. */
  readonly keys: ReadonlyMap<string, string>;
}

const names = [...customers.slice(0, 3).map(({ name }) => name), internal];
const atOnce = 8;

export async function serve(cloud: RunningCloud, count: number): Promise<Served> {
  const keys = new Map<string, string>();
  for (const organisation of names) {
    await control(cloud, "POST", "/projects", { organisation, name: "main", dataClass: "public" });
    keys.set(organisation, await makeKey(cloud, "program", { project: `${organisation}/main` }));
  }
  let tokens = 0;
  for (let from = 0; from < count; from += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, count - from) }, async (_none, at) => {
      const number = from + at;
      const key = keys.get(names[number % names.length]!)!;
      const content = `Request ${number}: ${"a few words of context ".repeat(1 + (number % 7))}`;
      const seen = await ask({ url: cloud.url, key, content, stream: number % 2 === 0, more: { max_tokens: 24 } });
      const usage = seen.status === 200 ? usageIn(seen) : undefined;
      if (usage === undefined) throw new Error(`request ${number} was not served: ${seen.status} ${seen.text}`);
      tokens += usage.prompt_tokens + usage.completion_tokens;
    });
    await Promise.all(some);
  }
  return { requests: count, tokens, keys };
}
