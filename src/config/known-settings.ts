import { z } from "zod";
import { settingsSchema } from "./schema.ts";

/** One setting, as the reference lists it. Items of lists stand as `[]`, free names as `<name>`. */
export interface KnownSetting {
  readonly path: string;
  /** "whole number, 0 to 65535", "one of serve, stop", ... */
  readonly type: string;
  /** JSON; undefined where there is none. */
  readonly default: string | undefined;
  readonly required: boolean;
  readonly description: string;
}

/** The part of JSON Schema that the settings' schema is made of. */
interface SchemaNode {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: boolean | SchemaNode;
  readonly items?: SchemaNode;
  readonly required?: readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly SchemaNode[];
  readonly minimum?: number;
  readonly maximum?: number;
}

const root: SchemaNode = z.toJSONSchema(settingsSchema, { io: "input" }) as SchemaNode;

/** Every value that may be set, in the schema's order; sections themselves are not listed, lists and their items are. */
export function knownSettings(): readonly KnownSetting[] {
  return [...walk(root, "", false, "")];
}

/** The keys that may stand at a path of a parsed file; empty where anything or nothing may. */
export function knownKeysAt(path: readonly PropertyKey[]): readonly string[] {
  let node: SchemaNode | undefined = root;
  for (const step of path) {
    if (node === undefined) return [];
    if (typeof step === "number") node = node.items;
    else node = node.properties?.[String(step)] ?? freeName(node);
  }
  return Object.keys(node?.properties ?? {});
}

function* walk(node: SchemaNode, path: string, required: boolean, inherited: string): Generator<KnownSetting> {
  const description = node.description ?? inherited;
  const properties = Object.entries(node.properties ?? {});
  const free = freeName(node);
  if (properties.length === 0) {
    const stated = node.default === undefined ? undefined : JSON.stringify(node.default);
    yield { path, type: typeText(node), default: stated, required, description };
  }
  for (const [name, child] of properties) {
    const childRequired = node.required?.includes(name) === true;
    yield* walk(child, path === "" ? name : `${path}.${name}`, childRequired, "");
  }
  if (free !== undefined) yield* walk(free, `${path}.<name>`, false, "");
  if (node.items?.properties !== undefined) yield* walk(node.items, `${path}[]`, false, "");
}

function freeName(node: SchemaNode): SchemaNode | undefined {
  return typeof node.additionalProperties === "object" ? node.additionalProperties : undefined;
}

function typeText(node: SchemaNode): string {
  if (node.anyOf !== undefined) return node.anyOf.map(typeText).join(", or ");
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum !== undefined) return `one of ${node.enum.join(", ")}`;
  switch (node.type) {
    case "integer":
      return `whole number, ${node.minimum} to ${node.maximum}`;
    case "array":
      return node.items?.enum === undefined ? `list of ${node.items?.type}s` : `list of ${node.items.enum.join(", ")}`;
    case "object":
      return "mapping";
    case undefined:
      return "anything";
    default:
      return node.type;
  }
}
