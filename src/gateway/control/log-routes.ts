import { z } from "zod";
import type { Refusal } from "../../base/index.ts";
import type { LogOperations } from "./operations.ts";
import { route, type Route } from "./route.ts";
import { logStatus, type SigningKey, signingKeys } from "./wire.ts";

const shared = { permission: "operator", group: "Log" } as const;
const hourMs = 3_600_000;

/** The transparency log, as its operator sees and changes it; what anyone may read of it stands below /log. */
export function logRoutes(log: LogOperations): readonly Route[] {
  return [
    route(
      {
        ...shared,
        method: "GET",
        path: "/log",
        name: "showLog",
        summary: "Shows the transparency log: whether it goes on, its size, its keys and its witnesses.",
        answer: logStatus,
      },
      () => Promise.resolve(log.status()),
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/log/rotate-key",
        name: "rotateLogKey",
        summary: "Makes a new key for the log. The one before signs beside it until the overlap is over.",
        body: z.strictObject({
          overlapHours: z
            .number()
            .min(0)
            .max(8_784)
            .default(720)
            .meta({ description: "How long both keys sign; 0: the new one alone." }),
        }),
        answer: logStatus,
      },
      ({ body }) => log.rotateKey(body.overlapHours * hourMs),
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/log/begin",
        name: "beginLog",
        summary: "Ends a log that cannot go on, and begins another one under another name.",
        answer: logStatus,
        status: 201,
      },
      () => log.begin(),
    ),
    ...keyRoutes(log),
  ];
}

function keyRoutes(log: LogOperations): readonly Route[] {
  return [
    route(
      {
        ...shared,
        method: "GET",
        path: "/signing-keys",
        name: "listSigningKeys",
        summary: "Lists the keys that receipts are or were signed with, as the newest key statement has them.",
        answer: signingKeys,
      },
      () => Promise.resolve({ items: [...log.signingKeys()] }),
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/signing-keys/rotate",
        name: "rotateSigningKey",
        summary: "Makes a new key for receipts. What the one before has signed holds.",
        answer: signingKeys,
        status: 201,
      },
      async () => itemsOf(await log.rotateSigningKey()),
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/signing-keys/:key/revoke",
        name: "revokeSigningKey",
        summary: "Revokes a key for receipts: what it signed holds only as far as the log had it before.",
        params: z.object({ key: z.string().min(1).max(100) }),
        answer: signingKeys,
      },
      async ({ params }) => itemsOf(await log.revokeSigningKey(params.key)),
    ),
  ];
}

function itemsOf(keys: readonly SigningKey[] | Refusal): { readonly items: SigningKey[] } | Refusal {
  return "length" in keys ? { items: [...keys] } : keys;
}
