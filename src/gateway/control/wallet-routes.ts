import { z } from "zod";
import { decimal, instant, page, pageOf, reference, words } from "./fields.ts";
import type { WalletOperations } from "./operations.ts";
import { route, type Route } from "./route.ts";
import { walletGrant, walletMovements, wallets } from "./wallet-wire.ts";

const shared = { permission: "operator", group: "Wallets" } as const;
const params = z.strictObject({ organisation: reference });
const currency = z.string().regex(/^[A-Z]{3}$/, "a currency such as EUR");

const asked = z.strictObject({
  id: z
    .string()
    .regex(/^[\w.:-]{1,100}$/, "1 to 100 letters, digits, dots, colons, underscores and hyphens")
    .optional()
    .meta({ description: "What makes it the same grant when it is asked for again; left out: another one each time." }),
  currency: currency.optional().meta({ description: "Left out: what the organisation is billed in." }),
  credits: decimal,
  paid: decimal.meta({ description: "What is paid for them, without tax; 0: they are given." }),
  priority: z
    .int()
    .min(-1_000_000)
    .max(1_000_000)
    .optional()
    .meta({ description: "The lower, the sooner it is used; default 0." }),
  expiresAt: instant
    .optional()
    .meta({ description: "It holds to the end of the period in which that is. Left out: it never expires." }),
  rollover: z
    .strictObject({ most: decimal, until: instant })
    .optional()
    .meta({ description: "When it expires, at most so many credits stay until then, once." }),
  breakagePercent: decimal.optional().meta({ description: "What is expected never to be used; default 0." }),
  note: words.optional(),
  received: z
    .boolean()
    .optional()
    .meta({ description: "What is paid has arrived: the invoice of it is issued and paid at once. Default: false." }),
});

/** Prepaid wallets: an organisation's grants of credits, in a currency. */
export function walletRoutes(operations: WalletOperations): readonly Route[] {
  return [
    route(
      {
        ...shared,
        method: "GET",
        path: "/wallets",
        name: "listWallets",
        summary:
          "Lists the wallets of organisations that are prepaid or have grants, a part of the organisations at once.",
        query: z.strictObject(page),
        answer: wallets,
      },
      ({ query }) => operations.list(pageOf(query)),
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/wallets/:organisation",
        name: "showWallets",
        summary: "Shows an organisation's wallets, one for each currency, with their grants.",
        params,
        answer: wallets,
      },
      (input) => operations.show(input.params.organisation),
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/wallets/:organisation/:currency/movements",
        name: "listWalletMovements",
        summary: "Lists what became of a wallet's credits, the oldest first.",
        params: params.extend({ currency }),
        query: z.strictObject(page),
        answer: walletMovements,
      },
      (input) => operations.movements(input.params, pageOf(input.query)),
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/wallets/:organisation/grants",
        name: "grantCredits",
        summary:
          "Grants credits to an organisation, bought or given; they hold within a second. What is paid is posted as a contract liability, with its tax, and has an invoice: a draft, or with `received` a paid one. With an `id` that was used before the same body answers with that grant, and another one is refused. Nothing of a grant is changed later.",
        params,
        body: asked,
        answer: walletGrant,
        status: 201,
      },
      ({ params: { organisation }, body, asker }) => operations.grant({ ...body, organisation }, asker.name),
    ),
  ];
}
