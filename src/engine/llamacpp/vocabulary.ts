import { type LlamaModel, LlamaVocabularyType, type Token } from "node-llama-cpp";

/**
 * What each token stands for, in bytes. The library turns tokens into strings, which loses the bytes of a token that
 * holds a part of a character; so they are read from the GGUF's vocabulary as llama.cpp reads it (`token_to_piece` in
 * llama-vocab.cpp): byte-level BPE writes each byte as a printable character, SentencePiece writes a space as U+2581
 * and a lone byte as `<0xE2>`.
 */
export class Vocabulary {
  readonly size: number;
  readonly #model: LlamaModel;
  readonly #texts: readonly string[];
  readonly #read: (text: string, token: Token) => Buffer;
  readonly #pieces = new Map<Token, Piece>();

  constructor(model: LlamaModel) {
    this.#model = model;
    this.#texts = model.fileInfo.metadata.tokenizer.ggml.tokens;
    this.size = this.#texts.length;
    this.#read = readerOf(model);
  }

  has(token: number): boolean {
    return Number.isSafeInteger(token) && token >= 0 && token < this.size;
  }

  piece(token: Token): Piece {
    const known = this.#pieces.get(token);
    if (known !== undefined) return known;
    const piece = this.#pieceOf(token);
    this.#pieces.set(token, piece);
    return piece;
  }

  #pieceOf(token: Token): Piece {
    const attributes = this.#model.getTokenAttributes(token);
    const text = this.#texts[token] ?? "";
    const isVerbatim = attributes.control || attributes.userDefined || attributes.unknown;
    return {
      bytes: isVerbatim ? Buffer.from(text) : this.#read(text, token),
      isControl: attributes.control || attributes.unknown,
      endsAnswer: this.#model.isEogToken(token),
    };
  }
}

export interface Piece {
  readonly bytes: Buffer;
  /** Part of the template's language, not of the text. */
  readonly isControl: boolean;
  readonly endsAnswer: boolean;
}

function readerOf(model: LlamaModel): (text: string, token: Token) => Buffer {
  switch (model.vocabularyType) {
    case LlamaVocabularyType.bpe:
      return readByteLevel;
    case LlamaVocabularyType.spm:
      return readSentencePiece;
    default:
      return (_, token) => Buffer.from(model.detokenize([token], true));
  }
}

const bytesOfCharacters = byteLevelCharacters();

function readByteLevel(text: string): Buffer {
  return Buffer.concat(
    Array.from(text, (character) => {
      const byte = bytesOfCharacters.get(character);
      return byte === undefined ? Buffer.from(character) : Buffer.of(byte);
    }),
  );
}

function readSentencePiece(text: string): Buffer {
  const byte = /^<0x([0-9A-F]{2})>$/.exec(text)?.[1];
  return byte === undefined ? Buffer.from(text.replaceAll("\u2581", " ")) : Buffer.from(byte, "hex");
}

/** GPT-2's `bytes_to_unicode`: printable bytes stand for themselves, the others for U+0100 and on, in order. */
function byteLevelCharacters(): ReadonlyMap<string, number> {
  const characters = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const isPrintable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    characters.set(String.fromCodePoint(isPrintable ? byte : next++), byte);
  }
  return characters;
}
