import type { Usage } from "../base/index.ts";
import { answerForm, type AnswerForm, answerMeaning, requestMeaning, type Said } from "../meaning/index.ts";
import { checkDigest, type Stated, type StatedMeaning } from "../receipt/index.ts";
import { Ended } from "./ended.ts";

/** What an SDK gave and was given, where the bytes are not at hand. */
export interface Meant {
  /** The parameters of the call. */
  readonly asked?: Said;
  /** The whole answer as an object, or the events of its stream in their order. */
  readonly answered?: Said | readonly Said[];
  readonly digestKey?: Buffer;
}

/** Whether a receipt speaks of what was asked, and of what was answered. */
export function checkMeanings(stated: Stated, { asked, answered, digestKey }: Meant, checked: string[]): void {
  if (asked !== undefined) {
    const form = formOf(stated, "asked", stated.requestMeaning);
    check("what was asked", requestMeaning(stated.endpoint, asked), stated.requestMeaning!, digestKey, form);
    checked.push("asked");
  }
  if (answered !== undefined) {
    const form = formOf(stated, "answered", stated.answerMeaning);
    const said = Array.isArray(answered) ? assembled(form, answered as readonly Said[]) : form.whole(answered as Said);
    const usage = usageOf(form, answered, stated.usage);
    check("what was answered", said && answerMeaning(said, usage), stated.answerMeaning!, digestKey, form);
    checked.push("answered");
  }
}

function formOf({ endpoint }: Stated, what: "asked" | "answered", meaning: StatedMeaning | null): AnswerForm {
  if (meaning === null) throw new Ended("unchecked", `it holds no digest of what was ${what}`);
  const form = answerForm(endpoint);
  if (form === undefined || form.name !== meaning.form || meaning.algorithm !== "hmac-sha-256") {
    throw new Ended("unchecked", `what was ${what} is digested in a newer form, ${meaning.form}`);
  }
  return form;
}

function assembled(form: AnswerForm, events: readonly Said[]): Said | undefined {
  const assembly = form.assemble?.();
  for (const event of events) assembly?.take(event);
  return assembly?.said();
}

/** As the answer says it, where it does: a stream says it only where it was asked to. */
function usageOf(form: AnswerForm, answered: Meant["answered"], stated: Usage | null): Usage | null {
  if (Array.isArray(answered)) return stated;
  const found = form.usageIn(answered as Said);
  return typeof found === "object" && found !== null ? (form.usage(found as Said) ?? stated) : stated;
}

function check(
  what: string,
  text: string | undefined,
  { keyId, value }: StatedMeaning,
  digestKey: Buffer | undefined,
  { name }: AnswerForm,
): void {
  if (text === undefined) throw new Ended("invalid", `${what} has no canonical form of ${name}`);
  const bytes = Buffer.from(text);
  const wrong = checkDigest(what, bytes, { keyId, value, bytes: bytes.length, complete: true }, digestKey);
  if (wrong !== undefined) throw new Ended(wrong.outcome, wrong.reason);
}
