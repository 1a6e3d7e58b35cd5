/**
 * fetch: for whoever calls a cloud. A `fetch` that holds each answer against its receipt, and each receipt against the
 * log and the checkpoint that was seen before: every client is a witness. Owns: the wrapper, what it asks the cloud for,
 * where checkpoints are kept, when an answer's end is handed on. Does not own: what makes a receipt valid (verification),
 * what an endpoint's answers are (meaning).
 * Invariants: an answer's bytes are handed on as they came; what could not be checked is never told as valid; every wait
 * and all that is kept has a bound; nothing of a server is needed, and in a browser nothing of Node
 * (docs/reference/fetch.md).
 */
export { browserPins, memoryPins, type PinStore } from "./pins.ts";
export { type Trust, trustIn } from "./trust.ts";
export type { AnswerFiles, AnswerVerdict } from "./verdict.ts";
export { UnverifiedAnswer } from "./verdict.ts";
export { type Verifying, verifying, type VerifyingOptions } from "./verifying.ts";
