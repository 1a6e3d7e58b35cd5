import { checkConsistency } from "./consistency.ts";
import { allSettings } from "./sections.ts";

/** Every setting with its default and its description: the reference is made from it, the example held against it. */
export const settingsSchema = allSettings.superRefine(checkConsistency);
