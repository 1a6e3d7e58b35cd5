import { z } from "zod";
import type { HostId } from "../base/index.ts";

export const joinPath = "/hosts/v1/join";
/** Bytes of a body, either way. */
export const joinBytesMax = 65_536;

/** Body of `POST /hosts/v1/join`; the key that joins is the connection's. */
export const joinRequest = z.strictObject({
  /** The version of the host protocol. */
  protocol: z.int(),
  /** The release, for people. */
  version: z.string().max(100),
  /** The token's secret; null: the key is known already. */
  secret: z
    .string()
    .regex(/^[\w-]{43}$/)
    .nullable(),
  /** The site that the machine takes itself to be at; null: it says nothing of it. */
  site: z.string().max(64).nullable(),
  /** Where the gateway reaches it; without a host it is where the connection comes from. */
  address: z.strictObject({ host: z.string().min(1).max(253).nullable(), port: z.int().min(1).max(65_535) }),
  /** Its clock, in milliseconds since 1970. */
  atMs: z.number(),
});

export type JoinRequest = z.output<typeof joinRequest>;

/** Answer of it. */
export const joinAnswer = z.object({
  host: z.custom<HostId>((value) => typeof value === "string" && value.startsWith("host_")),
  site: z.string(),
  /** host:port, as the gateway will reach it. */
  address: z.string(),
  /** False: it was known before, by its key. */
  isNew: z.boolean(),
});

export type JoinAnswer = z.output<typeof joinAnswer>;
