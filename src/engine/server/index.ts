/**
 * engine/server: models that are served by programs of others. Owns the starting and ending of a program for each
 * loaded model, its turns, and the translation of an engine's request into the OpenAI API and of its answer back. Two
 * kinds: vLLM, which holds, releases and sleeps by itself; any other program, whose processes are stopped and continued.
 * Does not own: the programs, OpenAI's shapes towards clients (engine/openai), servers that the operator runs himself
 * (engine/upstream), queues.
 * Invariants: a program ends with the process that started it, also where that one is killed; it is reached on a Unix
 * socket or the loopback address, with a key of its own; what a tenant's prompt leaves in a cache is not used for
 * another's; a call that must be made, and an answer that must match a schema, are checked when they are complete.
 * What our own engine holds and this one cannot: how a program tokenizes is its own affair, so that a message that
 * spells a model's mark of a turn is refused where the model's files tell these marks, and elsewhere may become one; and
 * whether an answer depends on its company is decided by how the program computes.
 */
import type { EngineFactory } from "../types.ts";
import { anyServer } from "./any-server.ts";
import { ServerEngine, type ServerNeeds } from "./engine.ts";
import { vllm } from "./vllm.ts";
export type { ServerNeeds } from "./engine.ts";
export type { Adapter, ServerModel } from "./model.ts";

const flavours = { vllm, server: anyServer } as const;
/** Programs of vLLM that may sleep at once, where the settings do not say. */
const sleepingUsual = 2;

export interface ServerFactory extends EngineFactory {
  open(settings: Parameters<EngineFactory["open"]>[0]): Promise<ServerEngine>;
}

/**
 * `sleeping` undefined: as many as is usual, where the settings' command lets a sleeping program give its memory back.
 */
export function createServer(
  kind: keyof typeof flavours,
  needs: Omit<ServerNeeds, "sleeping"> & { readonly sleeping: number | undefined },
): ServerFactory {
  const flavour = flavours[kind];
  const sleeping = needs.sleeping ?? (flavour.canSleep(needs.settings.command) ? sleepingUsual : 0);
  return {
    name: kind,
    open: (settings) => Promise.resolve(new ServerEngine(flavour, { ...needs, sleeping }, settings)),
  };
}
