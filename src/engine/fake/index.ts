/**
 * engine/fake: an engine without a model, which ships: for tests, benches and trying Bailiwick out. Its text follows
 * from the prompt alone, its pace from its settings, and it fails exactly where its settings or a marker in the prompt
 * say so, such as `[[fake:crash-after=5]]`. It passes the same contract suite as the real adapters.
 * Does not own: OpenAI's shapes, queues.
 * Invariants: the same request gives the same tokens; a prompt's cache is reused within one tenant only; without pace
 * it costs microseconds, so that a bench measures what stands in front of it.
 */
export { createFake } from "./engine.ts";
export { type FakeSettings } from "./script.ts";
