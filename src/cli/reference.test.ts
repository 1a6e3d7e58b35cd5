import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import test, { type TestContext } from "node:test";
import type { Command, Option } from "commander";
import { createIds, ManualClock } from "../base/index.ts";
import { Printer } from "./printer.ts";
import { createProgram } from "./program.ts";

const opening = `# Command line

Commands find the running cloud through the data folder (\`--data\`, else \`./.bailiwick\`), where \`bailiwick up\` leaves its
address and the first operator's token, or through \`--url\` and \`--token-file\`, a file that holds a named operator's token
or, for what tenants may do themselves, a key. Names or ids are accepted everywhere; a project
is also named as \`organisation/project\`. \`doctor\`, \`sim\`, \`plan\`, \`rate\`, \`paper\`, \`bundle\`, \`restore\`, \`receipt show\` of a
file, \`receipt verify\`, \`erasure verify\`, \`export check\`, \`log verify\` with \`--log\` and \`--key\`, and \`witness\` need no
server; \`model\` works on the data folder itself where no server runs on it.

Data goes to standard output: a table for people, or JSON with \`--json\`. Everything else goes to standard error, an error
with its code and what to do next; with \`--json\` as \`{"error": {"code", "message", "next"}}\`, and \`param\` and \`reasons\`
where there are some. Exit codes: 0 success, 1 a negative result (an invalid receipt, a cloud that is not ready or not
running, a capacity that is not reached), 2 a wrong usage or something that could not be done. \`NO_COLOR\` is respected.
An option that takes one value is refused where it is given twice with different ones.

A model in \`--models\` must be served or in the catalogue; where an upstream is in use, which may bring it later, an
unknown one is a warning. A limit of 0 is one of nothing: it is set, with a warning.

This page is made from the commands themselves (\`node --test --test-update-snapshots src/cli/reference.test.ts\`).
`;

test("docs/reference/cli.md is what the commands say", (context) => {
  const nothing = { write: () => undefined };
  const surroundings = {
    argv: [],
    environment: {},
    stdin: () => Readable.from([]),
    stdout: nothing,
    stderr: nothing,
    currentFolder: "/",
    temporaryFolder: "/",
    clock: new ManualClock(),
    ids: createIds(new ManualClock()),
    randomBytes: (count: number) => randomBytes(count),
    onStopSignal: () => undefined,
  };
  const program = createProgram({ surroundings, printer: new Printer(surroundings), end: () => undefined });
  const sections = program.commands.flatMap((command) => describe(command, "bailiwick"));
  compare(context, "cli.md", [opening, ...sections].join("\n"));
});

function describe(command: Command, parent: string): readonly string[] {
  const name = `${parent} ${command.name()}`;
  const children = command.commands.flatMap((child) => describe(child, name));
  // A group that has options of its own is a command too.
  if (children.length > 0 && command.options.length === 0) return children;
  const list = command.options
    .filter(({ hidden }) => !hidden)
    .map(item)
    .join("");
  const line = [
    name,
    ...command.registeredArguments.map((each) => (each.required ? `<${each.name()}>` : `[${each.name()}]`)),
  ];
  return [
    `## \`${line.join(" ")}\`\n\n${sentence(command.description())}\n${list === "" ? "" : `\n${list}`}`,
    ...children,
  ];
}

function item(option: Option): string {
  const choices = option.argChoices === undefined ? "" : ` (${option.argChoices.join(", ")})`;
  const usual = option.defaultValueDescription ?? (option.defaultValue as string | undefined);
  const fallback = usual === undefined ? "" : ` Default: \`${usual}\`.`;
  return `- \`${option.flags}\`: ${option.description}${choices}.${fallback}\n`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function compare(context: TestContext, name: string, text: string): void {
  const path = fileURLToPath(new URL(`../../docs/reference/${name}`, import.meta.url));
  context.assert.fileSnapshot(text, path, { serializers: [(value: unknown) => String(value)] });
}
