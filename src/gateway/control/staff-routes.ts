import { z } from "zod";
import { newName, page, pageOf, reference } from "./fields.ts";
import type { OperatorOperations } from "./operations.ts";
import { createdOperator, operator, operators } from "./rights-wire.ts";
import { route, type Route } from "./route.ts";

const shared = { permission: "operator", group: "Operators" } as const;

/** The operator's people, by name. */
export function staffRoutes(operations: OperatorOperations): readonly Route[] {
  const params = z.object({ operator: reference });
  return [
    route(
      {
        ...shared,
        method: "GET",
        path: "/operators",
        name: "listOperators",
        summary: "Lists named operators, also those that were revoked, never their tokens.",
        query: z.strictObject(page),
        answer: operators,
      },
      ({ query }) => operations.list(pageOf(query)),
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/operators",
        name: "addOperator",
        summary: "Adds a named operator. The token is shown this once.",
        body: z.strictObject({
          name: newName,
          country: z
            .string()
            .min(2)
            .max(60)
            .nullable()
            .default(null)
            .meta({ description: "Where this person works: ISO 3166; policy asks for it before support access." }),
        }),
        answer: createdOperator,
        status: 201,
      },
      ({ body, asker }) => operations.add({ ...body, by: asker.name }),
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/operators/:operator/revoke",
        name: "revokeOperator",
        summary: "Revokes an operator's token for ever; it holds from the next call on.",
        params,
        answer: operator,
      },
      (input) => operations.revoke(input.params.operator),
    ),
  ];
}
