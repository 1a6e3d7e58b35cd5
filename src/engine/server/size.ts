import type { ModelFile, ModelSize } from "../types.ts";

/** What a model is like, read from its files. */
export interface ModelFacts {
  readonly weightsBytes: number;
  readonly parameters: number;
  readonly layers: number;
  readonly kvBytesPerToken: number;
  readonly chats: boolean;
  /** Control tokens that set turns apart; empty where the files do not tell them. */
  readonly turnTokens: readonly string[];
}

/** What a program takes beside weights and KV. Measured for vLLM 0.32 on CPU and llama.cpp's server: about that much. */
const computingBytes = 1 << 30;

/** What the KV of all sequences takes, each with a full context: what a program has to reserve for them. */
export function kvBytesOf(facts: ModelFacts, file: ModelFile, sequences: number): number {
  return facts.kvBytesPerToken * file.contextTokens * sequences;
}

/** `elastic`: KV is taken and given back as tokens come and go; else programs reserve all of it when they start. */
export function sizeOf(
  facts: ModelFacts,
  file: ModelFile,
  program: { readonly sequences: number; readonly elastic: boolean },
): ModelSize {
  const { weightsBytes, parameters, layers, kvBytesPerToken } = facts;
  const reserved = program.elastic ? 0 : kvBytesOf(facts, file, program.sequences);
  return {
    loadedBytes: weightsBytes + computingBytes + reserved,
    kvBytesPerToken: program.elastic ? kvBytesPerToken : 0,
    weightsBytes,
    parameters,
    layers,
    chats: facts.chats,
    contextTokens: file.contextTokens,
  };
}
