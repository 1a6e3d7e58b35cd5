import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { Erasure } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";
import { pathOf } from "./control-client.ts";
import { parsed } from "./failure.ts";
import { readBounded } from "./read-file.ts";

interface Options extends CloudOptions, JsonOption {
  readonly reason?: string;
  readonly out?: string;
  readonly project?: string;
}

const fileBytesMax = 4 << 20;

export function addErasureCommands(program: Command, context: CommandContext): void {
  const group = program
    .command("erasure")
    .description("erasures: what a tenant wants gone, and the signed proof that it is");
  const { printer } = context;
  const erasing = (name: string, description: string): Command =>
    withJson(withCloud(group.command(name).description(description)))
      .option("--reason <text>", "why, as the statement says it")
      .option("--out <file>", "where the signed statement is written");
  const erase = async (options: Options, body: object): Promise<void> => {
    const { reason = null } = options;
    show(await client(context, options).sendPatiently<Erasure>("/erasures", { ...body, reason }), options, context);
  };
  withRequired(
    erasing("request <request>", "erase one request: its content, its receipt, and every copy's key"),
    "--project <project>",
    "its project",
  ).action((request: string, options: Options) => erase(options, { request, project: options.project }));
  withRequired(
    erasing("subject <pseudonym>", "erase a person's records, by the pseudonym that requests named"),
    "--project <project>",
    "the project that knows this person",
  ).action((subject: string, options: Options) => erase(options, { subject, project: options.project }));
  const warning = "it cannot be undone";
  withRequired(erasing("project <project>", "erase a project for ever"), "--yes", warning).action(
    (project: string, options: Options) => erase(options, { project }),
  );
  withRequired(
    erasing("organisation <organisation>", "erase an organisation and all its projects for ever"),
    "--yes",
    warning,
  ).action((organisation: string, options: Options) => erase(options, { organisation }));
  withJson(withCloud(group.command("list").description("list erasures"))).action(async (options: Options) => {
    const rows = await client(context, options).list<Erasure>("/erasures");
    if (options.json === true) return printer.json(rows);
    return printer.table<Erasure>(
      [
        { title: "ID", text: ({ id }) => id },
        { title: "OF", text: ({ kind }) => kind },
        { title: "TENANT", text: ({ project, organisation }) => project ?? organisation },
        { title: "STATE", text: ({ state }) => state },
        { title: "ASKED", text: ({ askedAt }) => askedAt },
        { title: "BY", text: ({ askedBy }) => askedBy },
      ],
      rows,
      "Nothing was erased.",
    );
  });
  withJson(withCloud(group.command("show <erasure>").description("how far an erasure is, and its statement")))
    .option("--out <file>", "where the signed statement is written")
    .action(async (id: string, options: Options) =>
      show(await client(context, options).get<Erasure>(pathOf`/erasures/${id}`), options, context),
    );
  addVerify(group, context);
}

interface Stated {
  readonly kind: string;
  readonly organisation: string;
  readonly project: string | null;
  readonly finishedAt: string;
  readonly erased: readonly { readonly store: string; readonly count: number }[];
}

function addVerify(group: Command, context: CommandContext): void {
  const { printer, surroundings } = context;
  const command = withJson(
    group.command("verify <file>").description("verify a statement offline; exit code 1: it does not hold"),
  );
  withRequired(command, "--key <file>", "the cloud's public keys, as /.well-known/bailiwick/keys serves them").action(
    async (file: string, options: JsonOption & { key: string }) => {
      const { verifySignedFile } = await import("../receipt/index.ts");
      const { erasureType } = await import("../erasure/index.ts");
      const read = (path: string): Buffer => readBounded(resolve(surroundings.currentFolder, path), fileBytesMax);
      const verdict = verifySignedFile(read(file), erasureType, read(options.key));
      context.end(verdict.outcome === "valid" ? 0 : verdict.outcome === "invalid" ? 1 : 2);
      if (options.json === true) return printer.json({ valid: verdict.outcome === "valid", ...verdict });
      if (verdict.outcome !== "valid")
        return printer.facts([["statement", `${verdict.outcome.toUpperCase()}: ${verdict.reason}`]]);
      const { kind, organisation, project, finishedAt, erased } = verdict.statement as unknown as Stated;
      return printer.facts([
        ["statement", "valid"],
        ["signed by", verdict.keyId],
        ["of", `${kind} ${project ?? organisation}`],
        ["finished", finishedAt],
        ...erasedFacts({ erased }),
      ]);
    },
  );
}

function show(found: Erasure, { json, out }: Options, { printer, surroundings }: CommandContext): void {
  if (out !== undefined && found.statement !== null) {
    writeFileSync(resolve(surroundings.currentFolder, out), found.statement, { mode: 0o600 });
  }
  if (json === true) return printer.json(found);
  printer.facts([
    ["erasure", found.id],
    ["of", found.kind],
    [
      "state",
      found.state === "done" ? `done at ${found.finishedAt}` : `running; ${found.steps.join(", ") || "nothing"} done`,
    ],
    ["blinding", found.blinding],
    ...erasedFacts(statedIn(found.statement)),
  ]);
  if (found.statement === null)
    printer.note(`It goes on by itself; \`npx bailiwick erasure show ${found.id}\` says how far it is.`);
  else if (out !== undefined) printer.note(`The signed statement is in ${out}.`);
  else printer.note(`\`npx bailiwick erasure show ${found.id} --out FILE\` writes the signed statement.`);
}

/** What a statement says, as the server answered it: nothing is verified here. */
function statedIn(file: string | null): Pick<Stated, "erased"> {
  const { payload } = (parsed(file ?? "") ?? {}) as { readonly payload?: string };
  const { erased = [] } = (parsed(Buffer.from(payload ?? "", "base64").toString()) ?? {}) as Partial<Stated>;
  return { erased };
}

function erasedFacts({ erased }: Pick<Stated, "erased">) {
  return erased.map(({ store, count }) => [store, `${count} erased`] as const);
}
