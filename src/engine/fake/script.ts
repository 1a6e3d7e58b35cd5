/** Pace and failures of every answer; a marker in a prompt overrides them for that answer. */
export interface FakeSettings {
  /** Time until the first token; 0 without it. */
  readonly firstTokenMs?: number;
  /** Time between two tokens; 0 without it. */
  readonly tokenMs?: number;
  /** Tokens of text before the end of the turn; 16 without it. */
  readonly answerTokens?: number;
  readonly crashAfter?: number;
  readonly failAfter?: number;
  readonly hangAfter?: number;
  /** Time that loading a model takes; 0 without it. */
  readonly loadMs?: number;
  /** What every model takes once it is loaded; 1 GB without it. */
  readonly loadedBytes?: number;
  /** Models of which nobody can say what they take, those that cannot be loaded, and those that never are. */
  readonly unreadable?: readonly string[];
  readonly failLoads?: readonly string[];
  readonly hangLoads?: readonly string[];
}

/** What one answer does, beyond its words. Counts are of tokens computed before it happens. */
export interface Script {
  readonly answerTokens: number;
  readonly firstTokenMs: number;
  readonly tokenMs: number;
  /** The process dies as a native crash would end it. */
  readonly crashAfter: number | undefined;
  /** The sequence fails; the engine lives on. */
  readonly failAfter: number | undefined;
  /** Nothing comes any more; only an abort ends it. */
  readonly hangAfter: number | undefined;
  /** Answers exactly this text. */
  readonly say: string | undefined;
  /** Calls this tool where the choice is the model's. */
  readonly call: string | undefined;
  /** Refuses to start. */
  readonly refuses: boolean;
}

const marker = /\[\[fake:([a-z-]{1,32})(?:=([^\]]{0,4096}))?\]\]/g;

/** The script that the settings and the markers in a prompt ask for; the last marker of a name counts. */
export function scriptOf(prompt: string, settings: FakeSettings): Script {
  const plain: Script = {
    answerTokens: settings.answerTokens ?? 16,
    firstTokenMs: settings.firstTokenMs ?? 0,
    tokenMs: settings.tokenMs ?? 0,
    crashAfter: settings.crashAfter,
    failAfter: settings.failAfter,
    hangAfter: settings.hangAfter,
    say: undefined,
    call: undefined,
    refuses: false,
  };
  if (!prompt.includes("[[fake:")) return plain;
  const marked = new Map<string, string>();
  for (const [, name = "", value = ""] of prompt.matchAll(marker)) marked.set(name, value);
  return {
    answerTokens: count(marked.get("tokens")) ?? plain.answerTokens,
    firstTokenMs: count(marked.get("slow-prefill")) ?? plain.firstTokenMs,
    tokenMs: count(marked.get("token-ms")) ?? plain.tokenMs,
    crashAfter: count(marked.get("crash-after")) ?? plain.crashAfter,
    failAfter: count(marked.get("fail-after")) ?? plain.failAfter,
    hangAfter: count(marked.get("hang-after")) ?? (marked.has("hang") ? 0 : plain.hangAfter),
    say: marked.get("say"),
    call: marked.get("call"),
    refuses: marked.has("refuse"),
  };
}

function count(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}
