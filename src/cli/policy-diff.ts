import type { Command } from "commander";
import type { Changed, PolicyDiff } from "../policy/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import type { Printer } from "./printer.ts";
import {
  changedJson,
  noteMissing,
  onRecord,
  type OnRecord,
  progressOf,
  type Replayed,
  replayedJson,
  type ReplayOptions,
  requestsOf,
  showGrouped,
  sumsOf,
  sumText,
  withReplay,
} from "./replay.ts";
import type { Column } from "./table.ts";

export function addPolicyDiff(group: Command, context: CommandContext): void {
  const { printer, surroundings } = context;
  const description =
    "replay what happened under new policies beside those that hold: what they would refuse, what would run elsewhere, which refusals they would lift; a file takes the place of one of its name";
  withReplay(withJson(withCloud(group.command("diff <files...>").description(description)))).action(
    async (paths: readonly string[], options: CloudOptions & JsonOption & ReplayOptions) => {
      const { createPolicy, diff } = await import("../policy/index.ts");
      const { readPolicyInput } = await import("./document-file.ts");
      const { checked, documentsOf } = await import("./policy-check.ts");
      const input = readPolicyInput(paths, surroundings);
      const cloud = client(context, options);
      const { facts, policies } = await documentsOf(cloud);
      const names = new Set(input.files.map(({ name }) => name));
      const files = [...policies.files.filter(({ name }) => !names.has(name)), ...input.files];
      const nowMs = (): number => surroundings.clock.nowMs();
      const old = checked({ files: policies.files, document: undefined }, policies.document);
      const changed = checked({ files, document: input.document }, input.document?.value ?? policies.document);
      const record = await onRecord(cloud, options);
      const { placements } = record;
      const found = diff(
        placements,
        createPolicy({ ...old, facts, nowMs }),
        createPolicy({ ...changed, facts, nowMs }),
        { onReplayed: progressOf(placements.length, surroundings) },
      );
      if (options.json !== true) return showDiff(printer, found, record);
      const list = (some: readonly Changed<Replayed>[]) => ({
        ...sumsOf(some.map(({ placement }) => placement)),
        placements: some.map(changedJson),
      });
      return printer.json({
        since: record.since,
        refused: list(found.refused),
        moved: list(found.moved),
        permitted: list(found.permitted),
        drifted: { ...sumsOf(found.drifted), placements: found.drifted.map(replayedJson) },
        replayed: requestsOf(placements),
        notReplayed: record.missing,
      });
    },
  );
}

function showDiff(
  printer: Printer,
  { refused, moved, permitted, drifted }: PolicyDiff<Replayed>,
  record: OnRecord,
): void {
  const { placements, since } = record;
  const sum = (some: readonly Changed<Replayed>[]): string => sumText(some.map(({ placement }) => placement));
  printer.facts([
    ["replayed", `${sumText(placements)}, since ${since}`],
    ["refused", sum(refused)],
    ["elsewhere", sum(moved)],
    ["lifted", sum(permitted)],
    ["drifted", `${sumText(drifted)} (decided otherwise already, because facts or policies have changed since)`],
  ]);
  showChanged(printer, [
    ...refused.map((each) => ["refused", each] as const),
    ...moved.map((each) => ["elsewhere", each] as const),
    ...permitted.map((each) => ["lifted", each] as const),
  ]);
  noteMissing(printer, record);
}

function showChanged(printer: Printer, rows: readonly (readonly [string, Changed<Replayed>])[]): void {
  if (rows.length === 0) return;
  printer.text("\n");
  const columns: readonly Column<readonly [string, Changed<Replayed>]>[] = [
    { title: "WHAT", text: ([what]) => what },
    { title: "PROJECT", text: ([, { placement }]) => placement.project },
    { title: "DATA", text: ([, { placement }]) => placement.question.project.dataClass },
    { title: "MODEL", text: ([, { placement }]) => placement.question.model },
    { title: "NOW AT", text: ([, { permittedAt }]) => permittedAt.join(" ") || "nowhere" },
    { title: "WHY", text: ([, { because }]) => because[0] ?? "" },
  ];
  showGrouped(printer, rows, columns, ([, { placement }]) => placement.requests);
}
