/**
 * bundle: models on a medium, for a cloud that pulls nothing. Owns the bundle's form (a folder: a signed statement, and
 * files under their digests), writing one from the catalogue and taking one into it, and the key that signs. Does not
 * own: what the catalogue does with a model (catalog), what an entry says.
 * Invariants: nothing is read of a bundle but its statement before that was signed by a key that is trusted; a file is
 * taken only with the digest that was signed; a path of a bundle never leaves its folder, nor the model's.
 */
export { type Exported, exportBundle } from "./export.ts";
export { importBundle, type Imported, readBundle } from "./import.ts";
export { openBundleKey } from "./key.ts";
