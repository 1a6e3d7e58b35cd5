import type { RunningCloud } from "../boot/index.ts";
import type { Settings } from "../config/index.ts";
import { isLoopback } from "../base/index.ts";
import { printable } from "./table.ts";

interface Start {
  readonly readyMs: number;
  readonly settings: Settings;
  /** Whether a model can be asked. */
  readonly isServing: boolean;
  /** Whether a key is shown below. */
  readonly hasKey: boolean;
}

/** What the operator must know of a start: whether it serves, what is wrong, and how to go on. */
export function readyText(cloud: RunningCloud, { readyMs, settings, isServing, hasKey }: Start): string {
  const { host } = settings.listen;
  const lines = [
    isServing
      ? `Bailiwick is ready after ${readyMs} ms at ${cloud.url}`
      : `Bailiwick is up after ${readyMs} ms at ${cloud.url}, and has no model to serve yet.`,
    ...waitingLines(cloud),
  ];
  if (settings.site.jurisdiction === undefined) {
    lines.push("No jurisdiction is declared (--site DE): public data only is served.");
  }
  if (!isLoopback(host)) {
    lines.push(`It answers plain HTTP on ${host}, for other machines too: put a proxy with TLS in front of it.`);
  }
  if (!hasKey) lines.push(`\`npx bailiwick key create --project default --data ${cloud.data}\` makes a key.`);
  return `\n${lines.join("\n")}\n`;
}

function waitingLines(cloud: RunningCloud): readonly string[] {
  const waiting = cloud.waiting();
  if (waiting.length === 0) return [];
  const lines = waiting.map(({ name, why }) => `  upstream ${name}: ${printable(why)}`);
  const itIs = waiting.length === 1 ? "It is" : "They are";
  return ["", ...lines, `  ${itIs} asked every few seconds, and served upon an answer.`, ""];
}

export function welcomeText(cloud: RunningCloud, key: string): string {
  const [model] = cloud.models();
  const curl =
    model === undefined
      ? ""
      : `
  curl ${cloud.url}/v1/chat/completions \\
    -H "authorization: Bearer ${key}" -H "content-type: application/json" \\
    -d '{"model": "${printable(model)}", "messages": [{"role": "user", "content": "Say hello."}]}'
`;
  return `
Organisation and project "default", with their first key, shown this once:

  ${key}
${curl}
`;
}
