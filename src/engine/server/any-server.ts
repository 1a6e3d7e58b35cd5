import { membersOf } from "./control.ts";
import type { Flavour } from "./flavour.ts";

/** Any program that speaks the OpenAI API: its turns are stopping and continuing all its processes. */
export const anyServer: Flavour = {
  name: "server",
  complete: (command) => command,
  async build(control) {
    // llama.cpp's server tells it; others need not.
    const answer = await control.ask("GET", "/props").catch(() => undefined);
    const told = membersOf(answer?.value)["build_info"];
    return typeof told === "string" ? `llama.cpp ${told}` : "server";
  },
  orders: (program) => ({
    hold: () => Promise.resolve(program.signal("SIGSTOP")),
    release: () => Promise.resolve(program.signal("SIGCONT")),
  }),
  countsPrompts: false,
  // The salt for those that know it. llama.cpp's server does not: it would reuse any tenant's prompt for any other.
  extraFields: (cacheSalt) => ({ cache_salt: cacheSalt, cache_prompt: false, timings_per_token: true }),
  canSleep: () => false,
};
