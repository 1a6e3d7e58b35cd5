import { type Command, InvalidArgumentError } from "commander";
import type { Drilled, Loss, Lost, Remedy } from "../policy/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import { deadlinesOf, deadlinesText } from "./deadlines.ts";
import { CommandFailure } from "./failure.ts";
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

interface DrillOptions extends CloudOptions, JsonOption, ReplayOptions {
  readonly lose?: Loss[];
  readonly revoke?: Loss[];
  readonly ban?: Loss[];
}

export function addDrillCommand(program: Command, context: CommandContext): void {
  const { printer, surroundings } = context;
  const description =
    "replay what happened with something lost: which requests, tenants, deadlines and amounts would have been lost, and what would have kept them";
  withReplay(withJson(withCloud(program.command("drill").description(description))))
    .option("--lose <site>", "a site, such as site:fr; may be given again", lossOf("lose", ["site"]))
    .option(
      "--revoke <thing>",
      "the adequacy of a country (adequacy:US), or a scheme's certificates (certificate:HDS); may be given again",
      lossOf("revoke", ["adequacy", "certificate"]),
    )
    .option(
      "--ban <maker>",
      "a maker's accelerators, such as maker:NVIDIA; may be given again",
      lossOf("ban", ["maker"]),
    )
    .action(async (options: DrillOptions) => {
      const losses = [...(options.lose ?? []), ...(options.revoke ?? []), ...(options.ban ?? [])];
      if (losses.length === 0) {
        throw new CommandFailure("invalid_usage", "Nothing to lose is named.", {
          next: "Give at least one of --lose, --revoke, --ban.",
        });
      }
      const { drill } = await import("../policy/index.ts");
      const { checked, documentsOf } = await import("./policy-check.ts");
      const cloud = client(context, options);
      const { facts, policies } = await documentsOf(cloud);
      const record = await onRecord(cloud, options);
      const { placements } = record;
      const found = drill({
        ...checked({ files: policies.files, document: undefined }, policies.document),
        facts,
        losses,
        placements,
        nowMs: surroundings.clock.nowMs(),
        onReplayed: progressOf(placements.length, surroundings),
      });
      if (found.outcome === "unknown") {
        throw new CommandFailure("invalid_option", `${capital(found.message)}.`.replace("?.", "?"), {
          next: "Name one of the things that the facts state: `bailiwick facts show` has them.",
        });
      }
      if (options.json === true) return printer.json(drilledJson(found, record));
      return show(printer, found, record);
    });
}

type Done = Extract<Drilled<Replayed>, { outcome: "drilled" }>;

function lossOf(option: string, kinds: readonly Loss["kind"][]) {
  return (text: string, before: readonly Loss[] = []): readonly Loss[] => {
    const at = text.indexOf(":");
    const kind = kinds.find((each) => each === text.slice(0, at));
    const name = text.slice(at + 1);
    if (kind === undefined || name === "") {
      const forms = kinds.map((each) => `${each}:NAME`).join(" or ");
      throw new InvalidArgumentError(`--${option} takes ${forms}.`);
    }
    return [...before, lossNamed(kind, name)];
  };
}

function lossNamed(kind: Loss["kind"], name: string): Loss {
  if (kind === "adequacy") return { kind, country: name.toUpperCase() };
  return kind === "certificate" ? { kind, scheme: name } : { kind, name };
}

function show(printer: Printer, { lost, moved, drifted }: Done, record: OnRecord): void {
  const changed = [...lost, ...moved].map(({ placement }) => placement);
  const untouched = requestsOf(record.placements) - requestsOf(changed) - requestsOf(drifted);
  printer.facts([
    ["replayed", `${sumText(record.placements)}, since ${record.since}`],
    ["lost", sumText(lost.map(({ placement }) => placement))],
    ["deadlines", deadlinesText(deadlinesOf(lost.map(({ placement }) => placement)))],
    ["elsewhere", sumText(moved.map(({ placement }) => placement))],
    ["untouched", `${untouched} requests`],
    ["drifted", `${sumText(drifted)} (decided otherwise already, because facts or policies have changed since)`],
  ]);
  if (lost.length > 0) {
    printer.text("\n");
    const columns: readonly Column<Lost<Replayed>>[] = [
      { title: "PROJECT", text: ({ placement }) => placement.project },
      { title: "DATA", text: ({ placement }) => placement.question.project.dataClass },
      { title: "MODEL", text: ({ placement }) => placement.question.model },
      { title: "WOULD HAVE BEEN KEPT BY", text: ({ keptBy }) => remedyText(keptBy) },
      { title: "WHY", text: ({ because }) => because[0] ?? "" },
    ];
    showGrouped(printer, lost, columns, ({ placement }) => placement.requests);
  }
  noteMissing(printer, record);
}

function drilledJson({ lost, moved, drifted }: Done, record: OnRecord) {
  return {
    since: record.since,
    lost: {
      ...sumsOf(lost.map(({ placement }) => placement)),
      deadlines: deadlinesOf(lost.map(({ placement }) => placement)),
      placements: lost.map((each) => ({ ...changedJson(each), keptBy: each.keptBy ?? null })),
    },
    moved: {
      ...sumsOf(moved.map(({ placement }) => placement)),
      deadlines: deadlinesOf(moved.map(({ placement }) => placement)),
      placements: moved.map(changedJson),
    },
    drifted: { ...sumsOf(drifted), placements: drifted.map(replayedJson) },
    replayed: requestsOf(record.placements),
    notReplayed: record.missing,
  };
}

function remedyText(remedy: Remedy | undefined): string {
  if (remedy === undefined) return "nothing that is known";
  switch (remedy.kind) {
    case "site":
      return `room at site ${remedy.name}`;
    case "loss":
      return `not losing ${lossText(remedy.loss)}`;
    case "certificate":
      return `${remedy.scheme} for site ${remedy.site}`;
    case "adequacy":
      return `an adequacy decision about ${remedy.country}`;
    case "access":
      return `no access to site ${remedy.site} from elsewhere`;
    default:
      return `evidence for ${remedy.of} ${remedy.name} that counts`;
  }
}

function lossText(loss: Loss): string {
  if (loss.kind === "adequacy") return `adequacy:${loss.country}`;
  return loss.kind === "certificate" ? `certificate:${loss.scheme}` : `${loss.kind}:${loss.name}`;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
