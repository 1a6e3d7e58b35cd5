import { type Command, InvalidArgumentError, Option } from "commander";
import { type KeyPermission, keyPermissions, keyReaches } from "../base/index.ts";
import type { ChangedKey, CreatedKey, Key } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, requireChange, withJson, withRequired } from "./context.ts";
import { type ControlClient, pathOf } from "./control-client.ts";
import { currencyOf, describeLimits, type LimitOptions, limitsOf, withLimits } from "./limit-options.ts";

type Options = CloudOptions & JsonOption;

interface RightsOptions {
  readonly may?: readonly KeyPermission[];
  readonly reach?: string;
}

function permissionsOf(text: string): readonly KeyPermission[] {
  return text.split(",").map((part) => {
    const found = keyPermissions.find((permission) => permission === part.trim());
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`"${part}" is none of ${keyPermissions.join(", ")}.`);
  });
}

export function addKeyCommands(program: Command, context: CommandContext): void {
  const group = program.command("key").description("keys: who may ask, and how much");
  addCreate(group, context);
  addList(group, context);
  withJson(withCloud(group.command("show <key>").description("show a key, without its secret"))).action(
    async (key: string, options: Options) => {
      const cloud = client(context, options);
      await show(context, cloud, await cloud.get<Key>(pathOf`/keys/${key}`), options);
    },
  );
  changing(group.command("update <key>").description("change a key's name or limits"), context)
    .option("--name <name>", "its new name")
    .action(async (key: string, options: Options & LimitOptions & { name?: string }, command: Command) => {
      requireChange(command);
      const cloud = client(context, options);
      const body = { name: options.name, limits: limitsOf(options) };
      const changed = await cloud.send<ChangedKey>("PATCH", pathOf`/keys/${key}`, body);
      context.printer.warnings(changed.warnings);
      await show(context, cloud, changed, options);
    });
  withJson(withCloud(group.command("revoke <key>").description("revoke a key for ever"))).action(
    async (key: string, options: Options) => {
      const cloud = client(context, options);
      await show(context, cloud, await cloud.send<Key>("POST", pathOf`/keys/${key}/revoke`), options);
    },
  );
}

function addCreate(group: Command, context: CommandContext): void {
  const { printer } = context;
  const command = changing(group.command("create").description("make a key; its secret is shown once"), context);
  withRequired(command, "--project <project>", "the project that it belongs to")
    .option("--name <name>", "its name")
    .option(
      "--may <permissions>",
      `what it may do, separated by commas: ${keyPermissions.join(", ")}; left out: use`,
      permissionsOf,
    )
    .addOption(new Option("--reach <reach>", "whose rights it uses; left out: its project's").choices(keyReaches))
    .action(async (options: Options & LimitOptions & RightsOptions & { project: string; name?: string }) => {
      const { project, name, may, reach } = options;
      const made = await client(context, options).send<CreatedKey>("POST", "/keys", {
        project,
        name,
        limits: limitsOf(options),
        ...(may === undefined ? {} : { permissions: may }),
        ...(reach === undefined ? {} : { reach }),
      });
      printer.warnings(made.warnings);
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
      const cloud = client(context, options);
      const rows = await cloud.list<Key>("/keys", { project: options.project });
      if (options.json === true) return printer.json(rows);
      const currency = await currencyOf(
        cloud,
        rows.map(({ limits }) => limits),
      );
      const nowMs = surroundings.clock.nowMs();
      return printer.table<Key>(
        [
          { title: "NAME", text: ({ name }) => name },
          { title: "ID", text: ({ id }) => id },
          { title: "PROJECT", text: ({ organisation, project }) => `${organisation.name}/${project.name}` },
          { title: "STATE", text: (key) => stateOf(key, nowMs) },
          { title: "MAY", text: ({ permissions }) => permissions.join(" ") },
          { title: "LIMITS", text: ({ limits }) => describeLimits(limits, currency) },
        ],
        rows,
        "There is no key yet; `npx bailiwick key create --project PROJECT` makes one.",
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

async function show(context: CommandContext, cloud: ControlClient, key: Key, { json }: JsonOption): Promise<void> {
  const { printer, surroundings } = context;
  if (json === true) return printer.json(key);
  const limits = describeLimits(key.limits, await currencyOf(cloud, [key.limits]));
  return printer.facts([
    ["name", key.name],
    ["id", key.id],
    ["project", `${key.organisation.name}/${key.project.name}`],
    ["state", stateOf(key, surroundings.clock.nowMs())],
    ["limits", limits || "none"],
    ["created", key.createdAt],
    ["revoked", key.revokedAt ?? "no"],
  ]);
}
