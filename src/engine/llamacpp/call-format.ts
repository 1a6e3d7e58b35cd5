import type { ChatWrapper, LlamaText } from "node-llama-cpp";

/** How a model writes a tool call, as its template shows it. */
export interface CallFormat {
  /** Texts that begin a call, the longest first; the first is also put into a prompt to force one. */
  readonly openings: readonly string[];
  /** What a forced call begins with in the prompt. */
  readonly forced: LlamaText | string;
  /** The text between the name and the arguments. */
  readonly afterName: (name: string) => string;
  /** The text after the arguments. */
  readonly afterArguments: (name: string) => string;
}

/** Reads the format from the library's settings of the template. */
export function callFormatOf(wrapper: ChatWrapper): CallFormat {
  const { call, parallelism } = wrapper.settings.functions;
  const section = String(parallelism?.call.sectionPrefix ?? "");
  const prefixes = [call.prefix, ...(call.prefixAlternateMatches ?? [])].map(String);
  const sections = [section, ...(parallelism?.call.sectionPrefixAlternateMatches ?? []).map(String)];
  const openings = [...prefixes, ...sections.flatMap((text) => prefixes.map((prefix) => text + prefix))]
    .map((text) => text.trimStart())
    .filter((text) => text !== "");
  const named = (text: LlamaText | string) => (name: string) => String(text).replaceAll("{{functionName}}", name);
  return {
    openings: [...new Set(openings)].toSorted((a, b) => b.length - a.length),
    forced: call.prefix,
    afterName: named(call.paramsPrefix),
    afterArguments: named(call.suffix),
  };
}
