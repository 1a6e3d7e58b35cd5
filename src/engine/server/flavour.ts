import type { Control } from "./control.ts";
import type { GateOrders } from "./gate.ts";
import type { Program } from "./program.ts";

/** What a kind of program needs besides its settings, and what it has beyond the OpenAI API. */
export interface Flavour {
  readonly name: string;
  /** The settings' command and environment, completed with what this adapter relies on; with placeholders still. */
  complete(command: Command): Command;
  /** The version that it tells, for people. */
  build(control: Control): Promise<string>;
  orders(program: Program, control: Control): GateOrders;
  /** Whether it knows tokens without computing: then prompts are counted before they are sent. */
  readonly countsPrompts: boolean;
  /** Fields of a request's body beyond OpenAI's: above all the salt that keeps prompt caches of two tenants apart. */
  extraFields(cacheSalt: string): object;
  /** Whether a program that was started with this command gives its memory back while it sleeps. */
  canSleep(command: readonly string[]): boolean;
}

export interface Command {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}
