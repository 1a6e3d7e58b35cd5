import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Refusal } from "../base/index.ts";
import { unusable } from "./folder-files.ts";

type Members = Readonly<Record<string, unknown>>;

const mostBytes = 4 * 1024 * 1024;

/** How much context a folder's config.json speaks of; undefined where it does not say it plainly. */
export async function readFolderContext(
  root: string,
): Promise<{ readonly outcome: "read"; readonly contextTokens: number | undefined } | Refusal> {
  const file = await open(join(root, "config.json"), "r");
  try {
    const { size } = await file.stat();
    if (size > mostBytes) return unusable(root, `its config.json has more than ${mostBytes} bytes`);
    const config = membersOf(JSON.parse(await file.readFile("utf8")));
    return { outcome: "read", contextTokens: contextOf(config) ?? contextOf(membersOf(config["text_config"])) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return unusable(root, `its config.json is not JSON: ${error.message.slice(0, 200)}`);
  } finally {
    await file.close();
  }
}

/** Where positions are stretched (YaRN and others), what they reach is the program's to compute: the entry's word counts. */
function contextOf(config: Members): number | undefined {
  const isStretched = ["rope_scaling", "rope_parameters"].some((name) => "factor" in membersOf(config[name]));
  const most = config["max_position_embeddings"];
  return !isStretched && typeof most === "number" && Number.isSafeInteger(most) && most > 0 ? most : undefined;
}

function membersOf(value: unknown): Members {
  return typeof value === "object" && value !== null ? (value as Members) : {};
}
