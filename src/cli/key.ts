import type { Command } from "commander";
import type { CreatedKey, Key } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import { pathOf } from "./control-client.ts";
import { describeLimits, type LimitOptions, limitsOf, withLimits } from "./limit-options.ts";

type Options = CloudOptions & JsonOption;

export function addKeyCommands(program: Command, context: CommandContext): void {
  const group = program.command("key").description("keys: who may ask, and how much");
  addCreate(group, context);
  addList(group, context);
  withJson(withCloud(group.command("show <key>").description("show a key, without its secret"))).action(
    async (key: string, options: Options) => {
      show(context, await client(context, options).get<Key>(pathOf`/keys/${key}`), options);
    },
  );
  changing(group.command("update <key>").description("change a key's name or limits"), context)
    .option("--name <name>", "its new name")
    .action(async (key: string, options: Options & LimitOptions & { name?: string }) => {
      const body = { name: options.name, limits: limitsOf(options) };
      show(context, await client(context, options).send<Key>("PATCH", pathOf`/keys/${key}`, body), options);
    });
  withJson(withCloud(group.command("revoke <key>").description("revoke a key for ever"))).action(
    async (key: string, options: Options) => {
      show(context, await client(context, options).send<Key>("POST", pathOf`/keys/${key}/revoke`), options);
    },
  );
}

function addCreate(group: Command, context: CommandContext): void {
  const { printer } = context;
  changing(group.command("create").description("make a key; its secret is shown once"), context)
    .requiredOption("--project <project>", "the project that it belongs to")
    .option("--name <name>", "its name")
    .action(async (options: Options & LimitOptions & { project: string; name?: string }) => {
      const { project, name } = options;
      const made = await client(context, options).send<CreatedKey>("POST", "/keys", {
        project,
        name,
        limits: limitsOf(options),
      });
      if (options.json === true) return printer.json(made);
      printer.text(`${made.key}\n`);
      return printer.note(
        `Made the key ${made.name} (${made.id}) in ${made.organisation.name}/${made.project.name}. It is shown this once.`,
      );
    });
}

function addList(group: Command, context: CommandContext): void {
  const { printer, surroundings } = context;
  withJson(withCloud(group.command("list").description("list keys, without their secrets")))
    .option("--project <project>", "those of one project")
    .action(async (options: Options & { project?: string }) => {
      const rows = await client(context, options).list<Key>("/keys", { project: options.project });
      if (options.json === true) return printer.json(rows);
      const nowMs = surroundings.clock.nowMs();
      return printer.table<Key>(
        [
          { title: "NAME", text: ({ name }) => name },
          { title: "ID", text: ({ id }) => id },
          { title: "PROJECT", text: ({ organisation, project }) => `${organisation.name}/${project.name}` },
          { title: "STATE", text: (key) => stateOf(key, nowMs) },
          { title: "LIMITS", text: ({ limits }) => describeLimits(limits) },
        ],
        rows,
        "There is no key yet; `bailiwick key create --project PROJECT` makes one.",
      );
    });
}

function changing(command: Command, { surroundings }: CommandContext): Command {
  return withJson(withCloud(withLimits(command, surroundings.clock)));
}

function stateOf({ revokedAt, limits }: Key, nowMs: number): string {
  if (revokedAt !== null) return "revoked";
  return limits.expiresAt !== null && Date.parse(limits.expiresAt) <= nowMs ? "expired" : "valid";
}

function show({ printer, surroundings }: CommandContext, key: Key, { json }: JsonOption): void {
  if (json === true) return printer.json(key);
  return printer.facts([
    ["name", key.name],
    ["id", key.id],
    ["project", `${key.organisation.name}/${key.project.name}`],
    ["state", stateOf(key, surroundings.clock.nowMs())],
    ["limits", describeLimits(key.limits) || "none"],
    ["created", key.createdAt],
    ["revoked", key.revokedAt ?? "no"],
  ]);
}
