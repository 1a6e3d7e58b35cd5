/**
 * config: bailiwick.yaml. Owns every setting: its schema, default, bounds and description, and the reading of the file.
 * Does not own: flags (cli), the data folder, secrets (settings name environment variables, main.ts reads them).
 * Invariants: parsed once, frozen; an unknown key is refused with its path, its line and the nearest known key; the
 * example file and docs/reference/settings.md are held against the schema by tests.
 */
export { isHere } from "./air-gap.ts";
export { readYaml } from "./read-yaml.ts";
export { formatProblems, loadSettings, parseSettings, type SettingsOverrides } from "./load.ts";
export type { Settings } from "./sections.ts";
