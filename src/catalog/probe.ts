import type { ModelEntry } from "./entry.ts";
import { sourcesOf } from "./entry.ts";
import { describeHubError, type HubSettings, openHub } from "./hub.ts";
import { findPip, noPip, type PipContext } from "./pip.ts";
import type { SourcePart } from "./source.ts";

export interface Reach {
  readonly kind: SourcePart["kind"];
  readonly reached: boolean;
  readonly detail: string;
}

const probeTimeoutMs = 15_000;

/** Asks a source of this kind for a file of the entry's, through its ordinary client, and downloads nothing. */
export async function probeSource(
  entry: ModelEntry,
  kind: "pypi" | "hf",
  context: PipContext & { readonly hub: HubSettings },
): Promise<Reach> {
  const part = sourcesOf(entry)
    .flatMap((source) => source.parts)
    .find((candidate) => candidate.kind === kind);
  if (part?.kind === "pypi") return probePip(part.package, context);
  if (part?.kind === "hf") {
    const timeout = new AbortController();
    const cancel = context.clock.after(probeTimeoutMs, () =>
      timeout.abort(new Error(`no answer in ${probeTimeoutMs} ms`)),
    );
    const hub = openHub(context.hub, timeout.signal);
    try {
      await hub.find(part);
      return { kind, reached: true, detail: `has ${part.repository}` };
    } catch (error) {
      return { kind, reached: false, detail: describeHubError(timeout.signal.aborted ? timeout.signal.reason : error) };
    } finally {
      cancel();
      await hub.close();
    }
  }
  return { kind, reached: false, detail: `${entry.name} has no such source` };
}

async function probePip(packageName: string, context: PipContext): Promise<Reach> {
  const pip = await findPip(context);
  if (pip === undefined) return { kind: "pypi", reached: false, detail: noPip };
  const result = await context.runCommand({
    program: pip.program,
    // The index's page of one package, a few kilobytes; the command is pip's since 21.2.
    arguments: [...pip.arguments, "index", "versions", "--disable-pip-version-check", "--no-input", "--", packageName],
    environment: context.environment,
    timeoutMs: probeTimeoutMs,
    outputBytes: 64 * 1024,
  });
  if (result.outcome === "exited" && result.code === 0) {
    return { kind: "pypi", reached: true, detail: `has ${packageName}` };
  }
  const reason = result.outcome === "failed" ? result.message : `pip did not find ${packageName}`;
  return { kind: "pypi", reached: false, detail: reason };
}
