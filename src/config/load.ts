import { open } from "node:fs/promises";
import type { ZodError } from "zod";
import { nearest, memberPath } from "../base/index.ts";
import { knownKeysAt, knownSettings } from "./known-settings.ts";
import type { SettingsProblem } from "./problem.ts";
import { readYaml, settingsBytes } from "./read-yaml.ts";
import { settingsSchema } from "./schema.ts";
import { allSettings, type Settings, type SettingsInput } from "./sections.ts";

/** Not an HTTP error: the command ends with it before anything has started. */
export interface SettingsInvalid {
  readonly outcome: "invalid";
  readonly code: "settings_invalid";
  /** The file's path, or what the caller called the text. */
  readonly source: string;
  /** At least one, at most 50. */
  readonly problems: readonly SettingsProblem[];
}

export type LoadedSettings = { readonly outcome: "loaded"; readonly settings: Settings } | SettingsInvalid;

/** Values from the command line: they replace the file's, mappings member by member, lists as a whole. */
export type SettingsOverrides = {
  readonly [Section in keyof SettingsInput]?: Partial<SettingsInput[Section]> | undefined;
};

const problemsKept = 50;

/** Reads and checks a settings file; no path means no file: the defaults and the overrides alone. */
export async function loadSettings(options: {
  readonly path?: string;
  readonly overrides?: SettingsOverrides;
}): Promise<LoadedSettings> {
  const { path, overrides } = options;
  if (path === undefined) return parseSettings({ text: "", ...(overrides && { overrides }) });
  let bytes: Buffer;
  try {
    bytes = await readAtMost(path, settingsBytes + 1);
  } catch (error) {
    const message = `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    return invalid(path, [{ path: "", message }]);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, settingsBytes + 1));
  } catch {
    // A TextDecoder throws for one reason only: the bytes are not UTF-8.
    return invalid(path, [{ path: "", message: "is not valid UTF-8" }]);
  }
  return parseSettings({ text, source: path, ...(overrides && { overrides }) });
}

/** Checks settings that are already in memory. `source` is what problems call them. */
export function parseSettings(options: {
  readonly text: string;
  readonly source?: string;
  readonly overrides?: SettingsOverrides;
}): LoadedSettings {
  const { text, source = "settings", overrides = {} } = options;
  const read = readYaml(text);
  if (read.outcome === "unreadable") return invalid(source, read.problems);
  // The file by itself first: a flag must not hide what is wrong in it until the day that it is left out.
  const alone = allSettings.safeParse(read.value, { reportInput: true });
  if (!alone.success) return invalid(source, translate(alone.error, read.lineAt));
  const parsed = settingsSchema.safeParse(merge(read.value, overrides), { reportInput: true });
  if (parsed.success) return { outcome: "loaded", settings: deepFreeze(parsed.data) };
  const lineAt = (path: readonly PropertyKey[]) => (holds(overrides, path) ? undefined : read.lineAt(path));
  return invalid(source, translate(parsed.error, lineAt));
}

/** The problems as lines for a terminal: "bailiwick.yaml:12: listen.prot is not a setting; did you mean listen.port?". */
export function formatProblems({ source, problems }: SettingsInvalid): string {
  return problems
    .map(({ path, line, message }) => {
      const place = line === undefined ? source : `${source}:${line}`;
      return path === "" ? `${place}: ${message}` : `${place}: ${path}: ${message}`;
    })
    .join("\n");
}

function invalid(source: string, problems: readonly SettingsProblem[]): SettingsInvalid {
  return { outcome: "invalid", code: "settings_invalid", source, problems: problems.slice(0, problemsKept) };
}

type LineAt = (path: readonly PropertyKey[]) => number | undefined;

function translate(error: ZodError, lineAt: LineAt): SettingsProblem[] {
  return error.issues.slice(0, problemsKept).flatMap((issue) => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.slice(0, problemsKept).map((key) => unknownKey(issue.path, key, lineAt([...issue.path, key])));
    }
    return [problem(issue.path, lineAt(issue.path), describe(issue))];
  });
}

function describe(issue: ZodError["issues"][number]): string {
  if (issue.input === null) return "is empty: give it a value, or leave the key out";
  if (issue.code !== "custom" && issue.input === undefined) return "is required";
  const isOfBytes = typeof issue.path.at(-1) === "string" && /bytes$/i.test(issue.path.at(-1) as string);
  return isOfBytes && typeof issue.input === "string" ? `${issue.message}${bytesHint(issue.input)}` : issue.message;
}

/** Sizes are whole numbers of bytes: whoever writes 24GB or 64MiB is told how that is written. */
function bytesHint(text: string): string {
  const [, number, prefix, isBinary] = /^(\d+(?:\.\d+)?)\s*([KMGT])(i?)B?$/i.exec(text.trim()) ?? [];
  if (number === undefined || prefix === undefined) return " (bytes, written without a unit)";
  const power = "KMGT".indexOf(prefix.toUpperCase()) + 1;
  const bytes = Math.round(Number(number) * (isBinary === "" ? 1_000 : 1_024) ** power);
  return ` (bytes, written without a unit: ${text.trim()} is ${bytes})`;
}

function unknownKey(parent: readonly PropertyKey[], key: string, line: number | undefined): SettingsProblem {
  const sibling = nearest(key, knownKeysAt(parent));
  const elsewhere = knownSettings().find((setting) => setting.path.split(".").at(-1) === key)?.path;
  const suggestion = elsewhere ?? (sibling === undefined ? undefined : memberPath([...parent, sibling]));
  const hint = suggestion === undefined ? "" : `; did you mean ${suggestion}?`;
  const found = problem([...parent, key], line, `is not a setting${hint}`);
  return suggestion === undefined ? found : { ...found, nearest: suggestion };
}

function problem(path: readonly PropertyKey[], line: number | undefined, message: string): SettingsProblem {
  return { path: memberPath(path), ...(line !== undefined && { line }), message };
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function merge(base: unknown, over: unknown): unknown {
  if (over === undefined) return base;
  if (!isMapping(base) || !isMapping(over)) return over;
  const names = new Set([...Object.keys(base), ...Object.keys(over)]);
  return Object.fromEntries([...names].map((name) => [name, merge(base[name], over[name])]));
}

/** Whether the overrides say something at a path or within it. */
function holds(overrides: unknown, path: readonly PropertyKey[]): boolean {
  let value: unknown = overrides;
  for (const step of path) {
    if (Array.isArray(value) && typeof step === "number") value = value[step];
    else value = isMapping(value) ? value[String(step)] : undefined;
  }
  return value !== undefined && path.length > 0;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member);
    Object.freeze(value);
  }
  return value;
}

/** The first bytes of a file, whatever it claims its size to be: a device or a pipe has no end. */
async function readAtMost(path: string, limitBytes: number): Promise<Buffer> {
  await using file = await open(path, "r");
  const buffer = Buffer.alloc(limitBytes);
  let length = 0;
  while (length < limitBytes) {
    const { bytesRead } = await file.read(buffer, length, limitBytes - length, null);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}
