import { join } from "node:path";
import { z } from "zod";
import type { HostId } from "../base/index.ts";
import { readIfThere, writeWhole } from "../installation/index.ts";

const fileName = "membership.json";

const joinNote = z.object({
  /** The only key that is taken for the gateway's. */
  gatewayKey: z.string().regex(/^[\w-]{43}$/),
  host: z.custom<HostId>((value) => typeof value === "string" && value.startsWith("host_")),
  site: z.string(),
  address: z.string(),
});

/** Whose host this machine is, as it keeps it in its data folder. */
export type JoinNote = z.output<typeof joinNote>;

/** Undefined where it has never joined. Throws where the file says something else. */
export function readJoinNote(data: string): JoinNote | undefined {
  const text = readIfThere(join(data, fileName));
  return text === undefined ? undefined : joinNote.parse(JSON.parse(text));
}

export function writeJoinNote(data: string, note: JoinNote): void {
  const { gatewayKey, host, site, address } = note;
  writeWhole(join(data, fileName), `${JSON.stringify({ gatewayKey, host, site, address })}\n`, 0o600);
}
