import { createHash } from "node:crypto";
import type { DetailedError } from "@cedar-policy/cedar-wasm/nodejs";
import { cedar } from "./cedar.ts";
import { looksOf } from "./looks.ts";
import { unknownPlaceholder } from "./placeholders.ts";
import type { CompiledPolicies, PoliciesInvalid, PolicyFile, PolicyNote, PolicyProblem } from "./policies.ts";
import { indexAt, positionAt, type Statement, statementsOf } from "./statements.ts";
import { nextTurn } from "./turns.ts";
import { warningsOf } from "./warnings.ts";

const problemsKept = 50;

export interface PolicyTexts {
  readonly schema: PolicyFile;
  readonly files: readonly PolicyFile[];
}

/** Parses and validates. Nothing changes where anything is wrong: whoever asked keeps what they had. */
export function compilePolicies({ schema, files }: PolicyTexts): CompiledPolicies | PoliciesInvalid {
  const badSchema = cedar().checkParseSchema(schema.text);
  if (badSchema.type === "failure") return invalid(badSchema.errors.map((error) => located(schema, 0, "", error)));
  const parsed = parsePolicies({ schema, files });
  if (parsed.outcome === "invalid") return parsed;
  const validated = validate(schema, parsed.policies);
  if (validated.problems.length > 0) return invalid(validated.problems);
  return { ...parsed, warnings: [...validated.warnings, ...parsed.warnings] };
}

/** Without the validation, which takes several times as long as all the rest: for texts that a test has validated. */
export function parsePolicies(texts: PolicyTexts): CompiledPolicies | PoliciesInvalid {
  const parsing = parsingOf(texts);
  for (;;) {
    const { done, value } = parsing.next();
    if (done === true) return value;
  }
}

/** The same, with a turn of the event loop for others after every few policies: for a thread that others wait for. */
export async function parsePoliciesByTurns(texts: PolicyTexts): Promise<CompiledPolicies | PoliciesInvalid> {
  const parsing = parsingOf(texts);
  for (;;) {
    const { done, value } = parsing.next();
    if (done === true) return value;
    await nextTurn();
  }
}

/** A policy takes half a millisecond; a turn of a busy event loop takes several. */
const policiesATurn = 8;

/** Parses, and may pause after every few policies. */
function* parsingOf({ schema, files }: PolicyTexts): Generator<void, CompiledPolicies | PoliciesInvalid> {
  const read: ReturnType<typeof readPolicy>[] = [];
  for (const file of files) {
    for (const statement of statementsOf(file.text)) {
      read.push(readPolicy(file, statement));
      if (read.length % policiesATurn === 0) yield;
    }
  }
  const problems = read.flatMap((each) => ("problems" in each ? each.problems : []));
  const notes = read.flatMap((each) => ("problems" in each ? [] : [each]));
  problems.push(...repeated(notes));
  if (problems.length > 0) return invalid(problems);
  const looks = looksOf(notes.map(({ json }) => json));
  return {
    outcome: "compiled",
    id: idOf(schema, notes),
    policies: new Map(notes.map((note) => [note.id, note])),
    regimes: new Set([...looks.regimes, "open"]),
    looks,
    warnings: warningsOf(notes),
  };
}

function invalid(problems: readonly PolicyProblem[]): PoliciesInvalid {
  return { outcome: "invalid", problems: problems.slice(0, problemsKept) };
}

function idOf(schema: PolicyFile, notes: readonly PolicyNote[]): string {
  const texts = notes.map(({ text }) => text).sort();
  return createHash("sha256")
    .update(JSON.stringify([schema.text, texts]))
    .digest("hex");
}

function readPolicy(file: PolicyFile, statement: Statement): PolicyNote | { readonly problems: PolicyProblem[] } {
  const parsed = cedar().policyToJson(statement.text);
  if (parsed.type === "failure") {
    return { problems: parsed.errors.map((error) => located(file, statement.start, statement.text, error)) };
  }
  const { annotations = {}, effect } = parsed.json;
  const at = { file: file.name, ...positionAt(file.text, statement.start) };
  const wrong = (message: string) => ({ problems: [{ ...at, message }] });
  const { id, reason = effect === "forbid" ? "forbidden" : "permitted" } = annotations;
  if (id === undefined) return wrong('a policy needs a name: put @id("...") before it');
  if (!namePattern.test(id))
    return wrong(`@id is 1 to 100 letters, digits, dots, underscores and hyphens, not "${id}"`);
  if (!reasonPattern.test(reason)) return wrong(`@reason is one coarse word of a-z and underscores, not "${reason}"`);
  const explain = annotations["explain"] ?? `the policy "${id}" ${effect}s it`;
  const placeholder = unknownPlaceholder(explain);
  if (placeholder !== undefined) return wrong(`@explain names {${placeholder}}, which is no value of a request`);
  const article = annotations["article"] ?? "none";
  return { ...at, id, effect, reason, explain, article, text: statement.text, json: parsed.json };
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const reasonPattern = /^[a-z][a-z_]{0,39}$/;

function repeated(notes: readonly PolicyNote[]): readonly PolicyProblem[] {
  const seen = new Map<string, PolicyNote>();
  return notes.flatMap((note) => {
    const first = seen.get(note.id);
    seen.set(note.id, first ?? note);
    if (first === undefined) return [];
    return [problemAt(note, `@id("${note.id}") is there already, in ${first.file}:${first.line}; choose another one`)];
  });
}

function validate(schema: PolicyFile, policies: ReadonlyMap<string, PolicyNote>) {
  const texts = Object.fromEntries([...policies].map(([id, { text }]) => [id, text]));
  const answer = cedar().validate({ schema: schema.text, policies: { staticPolicies: texts } });
  // Each part was parsed before; together they can only fail by a defect of ours.
  if (answer.type === "failure") throw new Error(`policies could not be validated: ${answer.errors[0]?.message}`);
  const problems = sorted(
    answer.validationErrors.map(({ policyId, error }) => inPolicy(policies.get(policyId)!, error)),
  );
  const never = new Map<string, string>();
  for (const { policyId, error } of answer.validationWarnings) {
    const found = withoutName(error.message);
    never.set(policyId, found.startsWith("policy is impossible") ? (never.get(policyId) ?? "") : found);
  }
  const warnings = [...never].map(([id, why]) => {
    const note = policies.get(id)!;
    const because = why === "" ? "its condition is false for every request" : why;
    return problemAt(note, `"${id}" can never apply, so it ${note.effect}s nothing: ${because}`);
  });
  return { problems, warnings };
}

/** In the order of lines, one for each place: Cedar tells a mistake once for every kind of place that it would be made with. */
function sorted(problems: readonly PolicyProblem[]): readonly PolicyProblem[] {
  const rank = ({ file, line, column, message }: PolicyProblem) =>
    `${file} ${String(line).padStart(9)} ${String(column).padStart(9)} ${message}`;
  const inOrder = problems.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
  return inOrder.filter((each, index) => {
    const last = inOrder[index - 1];
    return last === undefined || last.file !== each.file || last.line !== each.line || last.column !== each.column;
  });
}

function problemAt({ file, line, column }: PolicyNote, message: string): PolicyProblem {
  return { file, line, column, message };
}

function inPolicy(note: PolicyNote, error: DetailedError): PolicyProblem {
  const found = located({ name: note.file, text: note.text }, 0, note.text, error);
  const column = found.line === 1 ? note.column + found.column - 1 : found.column;
  return { ...found, line: note.line + found.line - 1, column };
}

/** Cedar's offsets are into the text that it was given, which begins at `start` of the file; an empty text is the file's. */
function located(file: PolicyFile, start: number, text: string, error: DetailedError): PolicyProblem {
  const [place] = error.sourceLocations ?? [];
  const index = start + indexAt(text === "" ? file.text : text, place?.start ?? 0);
  const hints = [place?.label, error.help].filter((hint) => typeof hint === "string");
  const message = [withoutName(error.message), ...hints].join("; ");
  return { file: file.name, ...positionAt(file.text, index), message };
}

/** Which policy it is about, the place says. */
function withoutName(message: string): string {
  return message.replace(/^for policy `[^`]*`, /, "").replace(/^failed to parse \w+ from string: /, "");
}
