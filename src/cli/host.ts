import { type Command, InvalidArgumentError } from "commander";
import type { CreatedHostToken, Host, HostToken } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";
import { pathOf } from "./control-client.ts";
import { placeText } from "./place.ts";
import type { Printer } from "./printer.ts";

type Options = CloudOptions & JsonOption;

export function addHostCommands(program: Command, context: CommandContext): void {
  const group = program.command("host").description("hosts on other machines: tokens to join with, who has joined");
  addTokens(group, context);
  addList(group, context);
  const revoke = "revoke a host for ever: within a second nothing new goes there, and what runs may end";
  withJson(withCloud(group.command("revoke <host>").description(revoke))).action(
    async (host: string, options: Options) => {
      const row = await client(context, options).send<Host>("POST", pathOf`/hosts/${host}/revoke`);
      if (options.json === true) return context.printer.json(row);
      return showHosts([row], context.printer);
    },
  );
}

function addTokens(group: Command, context: CommandContext): void {
  const { printer } = context;
  const tokens = group.command("token").description("by which a machine becomes a host, once");
  const create = withJson(withCloud(tokens.command("create").description("make a token, of one site")));
  withRequired(create, "--site <site>", "the site that the machine stands at, as the settings or the facts declare it")
    .option("--expires-in <time>", "how long it may be used: 30m, 1h, 7d", secondsOf, 3_600)
    .action(async (options: Options & { site: string; expiresIn: number }) => {
      const body = { site: options.site, expiresInSeconds: options.expiresIn };
      const made = await client(context, options).send<CreatedHostToken>("POST", "/hosts/tokens", body);
      if (options.json === true) return printer.json(made);
      printer.text(`${made.token}\n`);
      return printer.note(
        `It makes one machine a host at ${made.site}, until ${made.expiresAt}, and is not shown again. There:\n\n` +
          `    npx bailiwick join ${made.url} --token ${made.token}\n`,
      );
    });
  withJson(withCloud(tokens.command("list").description("list tokens, without their secrets"))).action(
    async (options: Options) => {
      const rows = await client(context, options).list<HostToken>("/hosts/tokens");
      if (options.json === true) return printer.json(rows);
      return showTokens(rows, printer);
    },
  );
  withJson(withCloud(tokens.command("revoke <token>").description("revoke a token, by its id"))).action(
    async (token: string, options: Options) => {
      const row = await client(context, options).send<HostToken>("POST", pathOf`/hosts/tokens/${token}/revoke`);
      if (options.json === true) return printer.json(row);
      return showTokens([row], printer);
    },
  );
}

function addList(group: Command, context: CommandContext): void {
  withJson(withCloud(group.command("list").description("list who has joined, those that were revoked too"))).action(
    async (options: Options) => {
      const rows = await client(context, options).list<Host>("/hosts");
      if (options.json === true) return context.printer.json(rows);
      return showHosts(rows, context.printer);
    },
  );
}

function showTokens(rows: readonly HostToken[], printer: Printer): void {
  printer.table<HostToken>(
    [
      { title: "TOKEN", text: ({ id }) => id },
      { title: "SITE", text: ({ site }) => site },
      { title: "STATE", text: ({ state }) => state },
      { title: "EXPIRES", text: ({ expiresAt }) => expiresAt },
      { title: "HOST", text: ({ host }) => host ?? "" },
    ],
    rows,
    "No token was made yet.",
  );
}

function showHosts(rows: readonly Host[], printer: Printer): void {
  printer.table<Host>(
    [
      { title: "HOST", text: ({ id }) => id },
      { title: "SITE", text: ({ site }) => placeText(site) },
      { title: "STATE", text: ({ state, reason }) => (reason === null ? state : `${state}: ${reason}`) },
      { title: "ADDRESS", text: ({ address }) => address },
      { title: "CLOCK", text: ({ clockSkewMs }) => skewText(clockSkewMs), align: "right" },
      { title: "DEVICE", text: ({ device }) => device ?? "" },
      { title: "MODELS", text: ({ models }) => models.join(" ") },
    ],
    rows,
    "No other machine has joined.",
  );
}

function skewText(skewMs: number | null): string {
  if (skewMs === null) return "";
  return skewMs < 0 ? `${skewMs} ms` : `+${skewMs} ms`;
}

const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

function secondsOf(text: string): number {
  const parts = /^(\d{1,6})([smhd])$/.exec(text);
  const time = parts === null ? 0 : Number(parts[1]) * seconds[parts[2]!]!;
  if (time >= 1 && time <= 365 * 86_400) return time;
  throw new InvalidArgumentError("It must be a time up to 365d, such as 30m, 1h or 7d.");
}
