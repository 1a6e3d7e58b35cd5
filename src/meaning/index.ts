/**
 * meaning: what a request asks and what an answer says, whatever the bytes between them: the same for a stream and a
 * whole answer, and for who has the objects of an SDK only. Owns, by endpoint: what of a request and of an answer counts,
 * how a stream's events become it, its canonical form, and how an answer says what it used. Does not own: digests and
 * receipts (receipt), how a stream's bytes are taken apart (gateway), who asks for it.
 * Invariants: pure, and the same in a browser; a whole answer and the stream of it mean the same; what an answer does not
 * say is left out, so that null, "" and nothing are one.
 */
export { answerForm } from "./answer.ts";
export { dataOf, EventReader, eventsOf, isLastFrame } from "./events.ts";
export type { AnswerForm, Assembly } from "./form.ts";
export { answerMeaning, meaningBytesMax, requestMeaning } from "./meaning.ts";
export type { Said } from "./said.ts";
export { anthropicUsage, openaiUsage, responsesUsage, type ReadUsage } from "./usage.ts";
