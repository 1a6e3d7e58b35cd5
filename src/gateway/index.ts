/**
 * gateway: what clients connect to. Owns HTTP: the server and its bounds, the /v1 router and its endpoint table
 * (openai/), the control API (control/), the page (page/), the answer's bytes. Does not own: any stage of a request
 * (request.ts and stages/ do), keys, prices, engines.
 * Invariants: a route without a declared permission does not exist; a body is parsed once and its bytes go on as they
 * came; a stream's chunk that can pass is never parsed; the last bytes leave after the record.
 */
export { type ByteWitness } from "./answer.ts";
export { createRouter, type RoutedCall, type RouterOptions, type StageName } from "./openai/router.ts";
export { createLogFiles, type LogFile } from "./log-files.ts";
export { type Gateway, listen, type ServerOptions } from "./server.ts";
export type { BodyEdits, CallBody, CallFields } from "./openai/call.ts";
export { type Endpoint, type EndpointName, endpoints } from "./openai/endpoints.ts";
export { narrowingHeaders } from "./openai/narrowing-headers.ts";
export { servedTier, type ServiceTier, tierOf } from "./openai/service-tier.ts";
export { EventStream } from "./openai/stream.ts";
export { readWhole } from "./openai/usage.ts";
export {
  type Backup,
  type Control,
  createControl,
  type Identities as ControlIdentities,
  type DestinationStatus,
  type LogOperations,
  type LogStatus,
  type ModelPrice,
  type NetworkConnections,
  type Operations,
  type PoolStatus,
} from "./control/index.ts";
export type { PageStatus as ControlPageStatus } from "./page/index.ts";
