import type { z } from "zod";
import type { Refusal } from "../../base/index.ts";
import type { Asker, Permission } from "./access.ts";
import { isOneLine, notOneLine } from "./fields.ts";

/** A group of members that a route reads: of its path, its query or its body. */
type Members = z.ZodType<Readonly<Record<string, unknown>>>;

/** What a handler is given: each part parsed by its schema; a part without a schema is an empty object. */
export interface RouteInput<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly asker: Asker;
  /** The request's id. */
  readonly request: string;
  /** Aborted when the client leaves before the answer has ended. */
  readonly signal: AbortSignal;
}

/** Lines of JSON, one object each, sent as they come (application/x-ndjson). */
export interface Lines {
  readonly lines: AsyncIterable<Readonly<Record<string, unknown>>>;
  /** Called once, when nothing of them will be sent any more: whether all were. */
  readonly onEnd?: (isWhole: boolean) => Promise<void>;
}

/** One row of the control API's table: everything that there is to know about a route stands here. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below /control/v1; `:name` is a parameter. */
  readonly path: string;
  readonly permission: Permission;
  /** The operation's name in the OpenAPI document, which generated clients call their functions by. */
  readonly name: string;
  readonly summary: string;
  readonly group: string;
  readonly status: 200 | 201 | 202;
  readonly params: z.ZodType | undefined;
  readonly query: z.ZodType | undefined;
  readonly body: z.ZodType | undefined;
  /** What the answer holds; members that it does not name never leave. With `streams`, one line. */
  readonly answer: z.ZodType;
  readonly streams: boolean;
  /** Whose calls are recorded in the audit log: everybody's where something changes, operators' where they look at data. */
  readonly audited: "all" | "operators" | "none";
  /** Whether not even the digest of its body is recorded: it names a person. */
  readonly hidesBody: boolean;
  readonly handle: (input: RouteInput<never, never, never>) => Promise<unknown>;
}

type Parsed<Schema extends Members | undefined> = Schema extends Members ? z.output<Schema> : Readonly<object>;

interface RouteDeclaration<
  Params extends Members | undefined,
  Query extends Members | undefined,
  Body extends Members | undefined,
  Answer extends z.ZodType,
> extends Pick<Route, "method" | "path" | "permission" | "name" | "summary" | "group"> {
  readonly status?: Route["status"];
  readonly audited?: "operators";
  readonly hidesBody?: true;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  readonly answer: Answer;
}

/** Declares a route that answers with one object. */
export function route<
  Answer extends z.ZodType,
  Params extends Members | undefined = undefined,
  Query extends Members | undefined = undefined,
  Body extends Members | undefined = undefined,
>(
  declaration: RouteDeclaration<Params, Query, Body, Answer>,
  handle: (input: RouteInput<Parsed<Params>, Parsed<Query>, Parsed<Body>>) => Promise<z.input<Answer> | Refusal>,
): Route {
  return complete(declaration, false, handle);
}

/** Declares a route that answers with lines of JSON while the work goes on. */
export function streamingRoute<
  Line extends z.ZodType,
  Params extends Members | undefined = undefined,
  Body extends Members | undefined = undefined,
>(
  declaration: RouteDeclaration<Params, undefined, Body, Line>,
  handle: (input: RouteInput<Parsed<Params>, Readonly<object>, Parsed<Body>>) => Promise<Lines | Refusal>,
): Route {
  return complete(declaration, true, handle);
}

/** Whatever a path or a query names is a text of one line: what no database's text can hold gets to none. */
function oneLineEach(members: Members | undefined): Members | undefined {
  return members?.superRefine((told, context) => {
    for (const [name, value] of Object.entries(told)) {
      if (typeof value === "string" && !isOneLine(value)) {
        context.addIssue({ code: "custom", path: [name], message: notOneLine });
      }
    }
  });
}

function complete(
  declaration: RouteDeclaration<Members | undefined, Members | undefined, Members | undefined, z.ZodType>,
  streams: boolean,
  handle: Route["handle"],
): Route {
  const { status = 200, audited = "none", hidesBody = false, body, ...rest } = declaration;
  const [params, query] = [oneLineEach(declaration.params), oneLineEach(declaration.query)];
  const whose = rest.method === "GET" ? audited : "all";
  return { ...rest, status, params, query, body, streams, audited: whose, hidesBody, handle };
}
