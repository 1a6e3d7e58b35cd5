import type { Command } from "commander";
import type { NetworkConnections } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import { placeText } from "./place.ts";

export function addNetworkCommand(program: Command, context: CommandContext): void {
  const { printer } = context;
  const description =
    "every address that this cloud may connect to, what reaches it, and whose requests policy permits there";
  withJson(withCloud(program.command("network").description(description))).action(
    async (options: CloudOptions & JsonOption) => {
      const found = await client(context, options).get<NetworkConnections>("/network");
      if (options.json === true) return printer.json(found);
      printer.table<NetworkConnections["connections"][number]>(
        [
          { title: "PURPOSE", text: ({ purpose }) => purpose },
          { title: "NAME", text: ({ name }) => name },
          { title: "ADDRESS", text: ({ host, port }) => (host === null ? "-" : `${host}:${port}`) },
          { title: "SITE", text: ({ site }) => (site === null ? "-" : placeText(site)) },
          {
            title: "PROJECTS",
            text: ({ purpose, projectCount }) => (["upstream", "host"].includes(purpose) ? `${projectCount}` : "-"),
          },
          { title: "WHAT REACHES IT", text: ({ carries }) => carries },
        ],
        found.connections,
        "It connects to nothing beyond this machine.",
      );
      if (found.airGapped) printer.note("Air-gapped: addresses elsewhere are refused, and nothing is pulled.");
    },
  );
}
