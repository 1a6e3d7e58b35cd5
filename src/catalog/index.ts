/**
 * catalog: the models that this installation knows and the files of those that it has. Owns the entries (shipped, the
 * settings', added ones), the sources (pip, the Hugging Face Hub's client, files), the pull, the manifests beside the
 * files, the digests of folders that are served where they lie, and the reading of GGUF headers. Does not own: which
 * models are served (settings, host), what one costs (ledger), where it may run (policy), running it (engine).
 * Invariants: a file stands under its final name only when it is whole and its digest is the expected one, or, where
 * none was known, the recorded one; a folder's digest covers every file in it that does not begin with a dot, or there
 * is none; nothing that a file or an archive states is believed before it was checked against its size; a program is
 * started by its arguments, never through a shell; a digest is never invented.
 */
export type { Brought } from "./brought.ts";
export {
  type Catalog,
  type CatalogContext,
  type CatalogModel,
  openCatalog,
  type Removed,
  type Verified,
  type VerifyOptions,
} from "./catalog.ts";
export { type Command, type CommandResult, createCommandRunner, type RunCommand } from "./command.ts";
export { type ModelEntry, modelEntrySchema } from "./entry.ts";
export { listFolder } from "./folder-files.ts";
export { type ChatTemplate, type ModelShape, readGguf } from "./gguf.ts";
export type { HubSettings } from "./hub.ts";
export { identityOf } from "./identity.ts";
export { sha256OfFile } from "./landing.ts";
export type { InstalledModel } from "./installed.ts";
export { findPip, type Pip } from "./pip.ts";
export { probeSource, type Reach } from "./probe.ts";
export type { PullOptions, PullResult } from "./pull.ts";
export type { PullProgress } from "./receive.ts";
export { defaultModel, shippedEntries } from "./shipped.ts";
