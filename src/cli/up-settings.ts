import { InvalidArgumentError } from "commander";
import type { Settings, SettingsOverrides } from "../config/index.ts";
import { isLoopback } from "../base/index.ts";
import { CommandFailure } from "./failure.ts";
import { readSettings } from "./settings.ts";
import type { Surroundings } from "./surroundings.ts";

type EngineKind = Settings["engine"]["kind"];

/** As the settings have them, all of them, or it is no such record. */
const kinds: Readonly<Record<EngineKind, true>> = { llamacpp: true, vllm: true, server: true, fake: true };
export const engineKinds = Object.keys(kinds);

export interface UpOptions {
  readonly data: string;
  readonly config?: string;
  readonly host?: string;
  readonly port?: number;
  readonly site?: string;
  readonly databaseUrl?: string;
  readonly engine?: EngineKind;
  readonly model?: readonly string[];
  readonly upstream?: string;
  readonly upstreamKey?: string;
  readonly upstreamSite?: string;
}

export function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError("It must be a whole number from 0 to 65535.");
}

/** The settings of the file, with what the options of `up` put in their place. */
export async function readUpSettings(
  options: UpOptions,
  surroundings: Pick<Surroundings, "currentFolder">,
): Promise<Settings> {
  await checkPlace("--site", options.site);
  await checkPlace("--upstream-site", options.upstreamSite);
  const overrides = overridesOf(options);
  const settings = await readSettings(options, surroundings, overrides);
  const { upstream } = options;
  if (upstream === undefined) {
    if (options.upstreamKey === undefined && options.upstreamSite === undefined) return settings;
    throw new CommandFailure("invalid_option", "--upstream-key and --upstream-site belong to an --upstream.", {
      next: "Name the server with --upstream, or give its key and site in the settings' `upstreams`.",
    });
  }
  return readSettings(options, surroundings, {
    ...overrides,
    upstreams: [{ ...upstreamOf(upstream, options), site: upstreamSite(upstream, options, settings) }],
  });
}

/** A place that an option names is the option's to answer for, and not the file's. */
async function checkPlace(option: string, text: string | undefined): Promise<void> {
  if (text === undefined) return;
  const { checkJurisdiction } = await import("../policy/index.ts");
  const checked = checkJurisdiction(text);
  if (checked.outcome === "known") return;
  throw new CommandFailure("invalid_option", `${option}: ${checked.message}.`.replace("?.", "?"), {
    next: `Give ${option} a country or one of its subdivisions, such as DE or DE-BE.`,
  });
}

function overridesOf(options: UpOptions): SettingsOverrides {
  const { host, port, site, databaseUrl, engine, model, upstream } = options;
  const onlyUpstream = upstream !== undefined && model === undefined && engine === undefined;
  return {
    ...(host === undefined && port === undefined
      ? {}
      : { listen: { ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port }) } }),
    ...(site === undefined ? {} : { site: { jurisdiction: site } }),
    ...(databaseUrl === undefined ? {} : { database: { url: databaseUrl } }),
    ...(engine === undefined ? {} : { engine: { kind: engine } }),
    ...(model === undefined && !onlyUpstream ? {} : { models: { serve: [...(model ?? [])] } }),
    ...(upstream === undefined ? {} : { upstreams: [upstreamOf(upstream, options)] }),
  };
}

function upstreamOf(url: string, { upstreamKey }: UpOptions) {
  return { name: "upstream", url, ...(upstreamKey === undefined ? {} : { keyEnvironment: upstreamKey }) };
}

/** Where it stands is never guessed: by what its owner says, or on this machine itself; else it is undeclared. */
function upstreamSite(url: string, { upstreamSite: jurisdiction }: UpOptions, { site }: Settings) {
  if (jurisdiction !== undefined) return { name: "upstream", jurisdiction };
  if (!isLoopback(new URL(url).hostname)) return {};
  const { name, operator } = site;
  return {
    name,
    ...(site.jurisdiction === undefined ? {} : { jurisdiction: site.jurisdiction }),
    ...(operator === undefined ? {} : { operator }),
  };
}
