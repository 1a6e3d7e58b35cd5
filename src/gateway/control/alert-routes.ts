import { z } from "zod";
import { page, pageOf } from "./fields.ts";
import type { AlertOperations } from "./operations.ts";
import { route, type Route } from "./route.ts";
import { alerts } from "./wallet-wire.ts";

/** What operators were told of money. */
export function alertRoutes(operations: AlertOperations): readonly Route[] {
  return [
    route(
      {
        permission: "operator",
        group: "Wallets",
        method: "GET",
        path: "/alerts",
        name: "listAlerts",
        summary:
          "Lists alerts, the newest first: thresholds of budgets and wallets that were reached, and usage that has become unrated, each once.",
        query: z.strictObject(page),
        answer: alerts,
      },
      ({ query }) => operations.list(pageOf(query)),
    ),
  ];
}
