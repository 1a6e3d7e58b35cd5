/** Questions to the cloud, as tenants' programs ask them, and what became of each. */
import { ask, errorIn, eventsOf, isDone, type Seen } from "../../test/end-to-end/asking.ts";
import type { Access, Borders } from "./cloud.ts";
import type { SiteName } from "./facts.ts";
import type { DataClass } from "./tenants.ts";

export type Outcome = "answered" | "broken-off" | "refused";

/** A question that was sent, with the bytes that its receipt is held against. */
export interface Sent {
  readonly access: Access;
  /** What the request calls its data; the project's own class where it says nothing of it. */
  readonly dataClass: DataClass;
  /** What it is asked for in the demo. */
  readonly step: string;
  /** Where policy permits it, as it was said beforehand; nowhere: it has to be refused. */
  readonly permitted: readonly SiteName[];
  /** How it was to end, as it was said beforehand. */
  readonly expected: Outcome;
  readonly body: string;
  readonly seen: Seen;
  readonly outcome: Outcome;
  /** Of a refusal, or of the error that ended a stream. */
  readonly code: string | null;
  readonly reason: string | null;
  /** Why not at each place, as far as that was asked. */
  readonly reasons: readonly string[];
  readonly receipt: string | null;
}

export interface Question {
  readonly access: Access;
  readonly step: string;
  readonly dataClass?: DataClass;
  /** Left out: as its tenant's table says. */
  readonly permitted?: readonly SiteName[];
  /** Left out: answered where it is permitted anywhere, else refused. */
  readonly expected?: Outcome;
  readonly headers?: Readonly<Record<string, string>>;
  readonly content?: string;
  readonly tokens?: number;
  readonly stream?: boolean;
  readonly onPart?: (textSoFar: string) => void;
}

export async function send({ cloud, model }: Borders, question: Question): Promise<Sent> {
  const { access, step, headers, stream = false, onPart } = question;
  const { tenant, key } = access;
  const dataClass = question.dataClass ?? tenant.project.dataClass;
  const body = JSON.stringify({
    model,
    messages: [{ role: "user", content: question.content ?? "Name a river in Europe." }],
    max_tokens: question.tokens ?? 8,
    temperature: 0,
    ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
  });
  const seen = await ask({
    url: cloud.url,
    key,
    body,
    headers: { ...(question.dataClass === undefined ? {} : { "bailiwick-data-class": dataClass }), ...headers },
    ...(onPart === undefined ? {} : { onPart }),
  });
  const permitted = question.permitted ?? tenant.permitted[dataClass];
  const expected = question.expected ?? (permitted.length === 0 ? "refused" : "answered");
  const told = { access, dataClass, step, permitted, expected, body, seen };
  return { ...told, receipt: receiptOf(seen), ...outcomeOf(seen, stream) };
}

function receiptOf({ headers, status }: Seen): string | null {
  const id = headers["bailiwick-receipt"];
  return status === 200 && typeof id === "string" ? id : null;
}

function outcomeOf(seen: Seen, stream: boolean): Pick<Sent, "outcome" | "code" | "reason" | "reasons"> {
  if (seen.status !== 200) {
    if (seen.status === undefined) return { outcome: "broken-off", code: null, reason: "no answer came", reasons: [] };
    const { code, message, reasons = [] } = errorIn(seen);
    return { outcome: "refused", code, reason: message, reasons };
  }
  if (seen.whole && (!stream || isDone(seen.text))) {
    return { outcome: "answered", code: null, reason: null, reasons: [] };
  }
  const error = eventsOf(seen.text).at(-1)?.["error"] as { code: string; message: string } | undefined;
  return { outcome: "broken-off", code: error?.code ?? null, reason: error?.message ?? null, reasons: [] };
}
