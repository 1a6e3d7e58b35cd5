import { type Command, Option } from "commander";
import type { NetworkAddress } from "../base/index.ts";
import type { JoinOptions, RunningHost } from "../boot/index.ts";
import type { Settings } from "../config/index.ts";
import { addressOf } from "./address.ts";
import { booting } from "./booting.ts";
import { type CommandContext, type JsonOption, withJson } from "./context.ts";
import { CommandFailure } from "./failure.ts";
import type { Printer } from "./printer.ts";
import { readSettings, settingsFile, type SettingsOption, withSettings } from "./settings.ts";
import { listenToSignals } from "./stopping.ts";
import { engineKinds } from "./up-settings.ts";

/** Where a machine's other users do not see it, as they see a command's options. */
const tokenVariable = "BAILIWICK_JOIN_TOKEN";

interface Options extends SettingsOption, JsonOption {
  readonly token?: string;
  readonly data: string;
  readonly listen: NetworkAddress;
  readonly address?: NetworkAddress;
  readonly site?: string;
  readonly engine?: Settings["engine"]["kind"];
  readonly model?: readonly string[];
}

/** `bailiwick join`: makes this machine a host of a cloud, and runs it until it is told to stop. */
export function addJoinCommand(program: Command, context: CommandContext): void {
  const description = "make this machine a host of a cloud on another machine, and run it";
  withJson(withSettings(program.command("join <url>").description(description)))
    .option("--token <token>", `what \`host token create\` printed, or in ${tokenVariable}; needed the first time only`)
    .option("--data <folder>", "where this host keeps its key, its models and its counts", "./.bailiwick-host")
    .addOption(
      new Option("--listen <address>", "host and port at which the gateway reaches this machine")
        .argParser(addressOf)
        .default({ host: "0.0.0.0", port: 7_443 }, "0.0.0.0:7443"),
    )
    .option(
      "--address <address>",
      "host and port that the gateway is told; default: --listen, as it sees it",
      addressOf,
    )
    .option("--site <name>", "the site that this machine stands at; refused where the token is of another")
    .addOption(new Option("--engine <kind>", "what runs models").choices(engineKinds))
    .option("--model <name...>", "models to serve")
    .action(async (url: string, options: Options) => join(url, options, context));
}

async function join(url: string, options: Options, context: CommandContext): Promise<void> {
  const { surroundings, printer } = context;
  const gateway = gatewayOf(url);
  const token = await tokenOf(options.token ?? surroundings.environment[tokenVariable]);
  const { engine, model } = options;
  const settings = await readSettings(options, surroundings, {
    ...(engine === undefined ? {} : { engine: { kind: engine } }),
    ...(model === undefined ? {} : { models: { serve: [...model] } }),
  });
  const stopping = listenToSignals(surroundings);
  const { joinCloud } = await import("../boot/index.ts");
  const { data, listen, address } = options;
  // The settings' default is no word of where a machine stands.
  const claimedSite = options.site ?? (settings.site.name === "here" ? undefined : settings.site.name);
  const host = await booting({ settings, data, stopping }, context, (common) =>
    joinCloud({ ...common, gateway, token, claimedSite, listen, address }),
  );
  if (host.outcome === "failed") {
    const file = host.code === "site_mismatch" && options.site === undefined && settingsFile(options, surroundings);
    const from = typeof file === "string" ? ` It says so by \`site.name\` in ${file}.` : "";
    throw new CommandFailure(host.code, `${host.message}${from}`, { next: host.next });
  }
  if (host.outcome === "stopped") return printer.note("Stopped before it was up.");
  tell(host, options, printer);
  await stopping.asked;
  printer.note(
    `Stopping: answers have up to ${settings.drain.timeoutMs / 1_000} s to finish. Ctrl-C again ends them now.`,
  );
  await host.stop(stopping.hurry);
  context.end(0);
}

function tell({ joined, models }: RunningHost, { json }: JsonOption, printer: Printer): void {
  if (json === true) return printer.json({ ...joined, models });
  printer.facts([
    ["host", joined.host],
    ["site", joined.site],
    ["reached at", joined.address],
    ["models", models.join(" ")],
  ]);
  return printer.note(
    joined.isNew ? "This machine is a host now. Ctrl-C stops it." : "This host is back. Ctrl-C stops it.",
  );
}

function gatewayOf(text: string): NetworkAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "https:" && url.pathname === "/" && url.username === "") {
    return { host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port: url.port === "" ? 443 : Number(url.port) };
  }
  throw new CommandFailure(
    "invalid_option",
    `A gateway's URL is such as https://gateway.example:8443, not "${text}".`,
    {
      next: "Give the URL that `host token create` printed.",
    },
  );
}

async function tokenOf(text: string | undefined): Promise<JoinOptions["token"]> {
  if (text === undefined) return undefined;
  const { parseJoinToken } = await import("../membership/index.ts");
  const token = parseJoinToken(text);
  if (token !== undefined) return token;
  throw new CommandFailure("join_token_invalid", "This is no whole token.", {
    next: "Give it as `host token create` printed it: it begins with bwj_ and has two parts.",
  });
}
