/**
 * engine: runs a model's tokens. Owns the one interface that a host asks of every engine in it, its adapters (llamacpp:
 * real, in the host's process; server: programs that the host starts, such as vLLM; fake: paced, scripted, failing at
 * will), the translation between OpenAI's shapes and an engine (openai/), and the upstream adapter: any
 * OpenAI-compatible server, which the gateway passes bytes to.
 * Does not own: who may ask (tenancy), where it runs (policy), whose turn it is (the pool, as the host does it), what it costs.
 * Invariants: counts come from the engine's own tokens; an answer under concurrency equals the answer alone; text of
 * a message never becomes a control token; a prompt's cache is reused within one tenant only.
 */
export type {
  ChatMessage,
  ContentPart,
  Engine,
  EngineFactory,
  FinishReason,
  GenerateRequest,
  LoadedModel,
  LogprobToken,
  ModelFile,
  ModelSize,
  ResponseFormat,
  Sampling,
  Sequence,
  SequenceCounts,
  SequencePart,
  ToolCall,
  ToolChoice,
  ToolDefinition,
} from "./types.ts";
export type { Counted, Destination, DestinationSite, Dispatch, Forgotten, Offer, ServiceLevel } from "./destination.ts";
export type { ModelFault } from "./model-fault.ts";
export type { PoolFigures, ToldModel, ToldPool } from "./pool-figures.ts";
export {
  Address,
  type AddressOptions,
  Exchange,
  type Head,
  type Reader,
  RunningExchanges,
  Upstream,
  type UpstreamOptions,
} from "./upstream/index.ts";
