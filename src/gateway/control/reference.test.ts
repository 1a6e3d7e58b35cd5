import { fileURLToPath } from "node:url";
import test from "node:test";
import { z } from "zod";
import { controlRoutes } from "./control.ts";
import { startFakeControl } from "./fake-control.ts";
import { base } from "./register.ts";
import type { Route } from "./route.ts";

const opening = `# Control API

The operators' API, on the same port as \`/v1\`. Every call shows a token (\`authorization: Bearer\`): a named operator's, or
the first one's, which stands in the data folder's \`operator-token\`: whoever may read that file is the operator. Where a
route says so a tenant's key does as well, if it has the permission: it then sees what is its own tenant's, and the rest
looks as if it were not there. Every call that changes something is recorded in the audit log before it is made and when it
has ended. Bodies are JSON; a member that is
not known is refused. Names or ids stand in paths, percent-encoded (\`organisation%2Fproject\`). Lists come in pages:
\`limit\` (at most 1000) and \`after\`, the \`next\` of the page before; \`next\` is null on the last. Errors have the shape and the
codes of [errors.md](errors.md). Answers that make or change what has limits hold \`warnings\`: what is odd about what was
asked for, though it was done, such as a limit of 0.

\`GET /openapi.json\` describes all of it with its shapes, and \`/v1\` too, as OpenAPI 3.1. That and \`GET /metrics\`
(Prometheus) need no token where a program on this machine asks directly: the connection comes from loopback, the host it
names is loopback, and no proxy has left a header. \`GET /\` is a page for people, and \`GET /page/status.json\` its numbers;
they hold nothing of a tenant and are open to whoever reaches the port.

This page is made from the routes themselves
(\`node --test --test-update-snapshots src/gateway/control/reference.test.ts\`).
`;

test("docs/reference/control-api.md is what the routes say", async (context) => {
  const control = await startFakeControl();
  context.after(control.close);
  const routes = controlRoutes(control.operations);
  const groups = [...new Set(routes.map(({ group }) => group))];
  const sections = groups.map((group) => {
    const rows = routes.filter((route) => route.group === group).map(describe);
    return `## ${group}\n\n${rows.join("\n")}`;
  });
  const path = fileURLToPath(new URL("../../../docs/reference/control-api.md", import.meta.url));
  const text = [opening, ...sections].join("\n");
  context.assert.fileSnapshot(text, path, { serializers: [(value: unknown) => String(value)] });
});

function describe(route: Route): string {
  const path = `${base}${route.path.replaceAll(/:(\w+)/g, "{$1}")}`;
  const parts = [
    ...membersOf("Query", route.query),
    ...membersOf("Body", route.body),
    ...whoElse(route),
    `Answers ${route.status}${route.streams ? ", a JSON object a line (`application/x-ndjson`)" : ""}.`,
  ];
  return `### \`${route.method} ${path}\`\n\n${route.summary} ${parts.join(" ")}\n`;
}

function membersOf(title: string, schema: z.ZodType | undefined): readonly string[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: "input" });
  const names = Object.keys(properties).map((name) => `\`${name}\`${required.includes(name) ? " (required)" : ""}`);
  return names.length === 0 ? [] : [`${title}: ${names.join(", ")}.`];
}

/** Operators may use every route of the table. */
function whoElse({ permission, audited }: Route): readonly string[] {
  const key = permission.startsWith("tenant:") ? [`Also with a key that may \`${permission.slice(7)}\`.`] : [];
  return audited === "operators" ? [...key, "Calls of operators are recorded."] : key;
}
