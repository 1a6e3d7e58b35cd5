import { z } from "zod";
import { environmentName, milliseconds, quantity } from "./value-schema.ts";

// Linux gives a program no text with a NUL in it.
const text = z
  .string()
  .max(4096)
  .refine((value) => !value.includes("\0"), "no NUL character");

/** The names in braces that are filled in are the engine's affair (docs/operating/engines.md). */
export const engineServer = z.strictObject({
  command: z
    .array(text.min(1))
    .min(1)
    .max(100)
    .describe("The program and its arguments; no shell reads them. Names in braces, such as {path}, are filled in."),
  environment: z
    .record(environmentName, text.describe("A variable's value; names in braces are filled in."))
    .refine((variables) => Object.keys(variables).length <= 100, "at most 100 variables")
    .default({})
    .describe("Variables for the program, besides those that hosts have."),
  startTimeoutMs: milliseconds(1000, 3_600_000)
    .default(240_000)
    .describe("How long the program may take until it answers; at most engine.loadTimeoutMs."),
  sleeping: quantity(0, 100)
    .optional()
    .describe(
      "Programs of kind vllm that are kept asleep when their model leaves; left out: 2 with --enable-sleep-mode, else 0.",
    ),
});
