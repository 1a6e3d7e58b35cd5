/**
 * engine/openai: translates between OpenAI's wire shapes and an engine, inside the host. Owns the parameter table,
 * the reading of chat and completion requests, and the encoding of answers, streamed and whole.
 * Does not own: the connection (host), the gateway's endpoint table, what an engine can do.
 * Invariants: nothing that a request asks for is dropped in silence: each parameter is supported, listed as changing
 * nothing, refused by name, or named as ignored; the same parts give the same content streamed and whole.
 */
export { type AnswerHead, answerHead, systemFingerprint } from "./head.ts";
export { type GenerationEndpoint, type Parameter, parameters, type Treatment } from "./parameters.ts";
export { parseChatRequest, parseCompletionRequest, type ParsedRequest, type ParseOptions } from "./request.ts";
export { ChatStream, CompletionStream, keepAlive, streamDone, type StreamEncoder } from "./stream.ts";
export { WholeAnswer } from "./whole.ts";
