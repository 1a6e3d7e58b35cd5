/** A mixture of experts: each token passes the router, `active` of the `count` experts, and what is shared. */
export interface Experts {
  readonly count: number;
  readonly active: number;
  /** Inner size of the part that every token passes, 0 where there is none. */
  readonly sharedFeedForwardSize: number;
}

/** What of a model decides how long it takes and how much room, by the names that its config.json has for it. */
export interface ModelShape {
  readonly id: string;
  readonly developer: string;
  /** `num_hidden_layers` */
  readonly layers: number;
  /** `hidden_size` */
  readonly hiddenSize: number;
  /** `num_attention_heads` */
  readonly heads: number;
  /** `num_key_value_heads`: fewer than `heads` where several of them share a key and a value. */
  readonly kvHeads: number;
  /** `head_dim` */
  readonly headSize: number;
  /** `intermediate_size`, of one of the three matrices; of one expert where there are several. */
  readonly feedForwardSize: number;
  /** Rows of the embedding as it is stored, `vocab_size`. */
  readonly vocabularySize: number;
  /** Whether the same matrix embeds the tokens and gives the logits. */
  readonly isTied: boolean;
  readonly experts?: Experts;
  /** All of them, as published. */
  readonly parameters: number;
  /** What one token passes through: fewer than `parameters` in a mixture of experts. */
  readonly activeParameters: number;
  /** What it was trained for, without a stretching such as YaRN. */
  readonly contextTokens: number;
}

/** bf16 */
const bytesPerNumber = 2;

/** Bytes of the weights in bf16. */
export function weightsBytes(shape: ModelShape): number {
  return shape.parameters * bytesPerNumber;
}

/** Bytes of key and value of one token in every layer, in bf16. */
export function kvBytesPerToken(shape: ModelShape): number {
  return 2 * shape.layers * shape.kvHeads * shape.headSize * bytesPerNumber;
}

/**
 * Bytes that a decode step of `sequences` reads of the weights in bf16. Of the embedding it reads a row for each
 * sequence, of the rest everything; but of experts only those that some sequence is sent to: with k of n for each, and
 * the sequences independent, a share 1 - (1 - k / n)^sequences.
 */
export function readBytes(shape: ModelShape, sequences: number): number {
  const embedding = shape.isTied ? 0 : embeddingParameters(shape);
  if (shape.experts === undefined) return (shape.parameters - embedding) * bytesPerNumber;
  const { count, active } = shape.experts;
  const ofExperts = shape.layers * count * feedForwardParameters(shape, shape.feedForwardSize);
  const touched = 1 - (1 - active / count) ** sequences;
  return (shape.parameters - embedding - ofExperts * (1 - touched)) * bytesPerNumber;
}

/**
 * Floating-point operations for one token in the layers, two for each parameter (a multiplication and an addition).
 * The embedding takes none, and the logits are needed for a prompt's last token only; attention is apart.
 */
export function layerFlop(shape: ModelShape): number {
  return 2 * (shape.activeParameters - embeddingParameters(shape) * (shape.isTied ? 1 : 2));
}

/** Floating-point operations for one token that gives logits too, as each sequence's does in a decode step. */
export function decodeFlop(shape: ModelShape): number {
  return layerFlop(shape) + 2 * embeddingParameters(shape);
}

/**
 * Floating-point operations of attention for a prompt of t tokens, over t^2. Queries meet keys and weights meet values,
 * two operations for each number of a head and each pair of tokens; a token looks back only, which is half the pairs.
 */
export function attentionFlopPerTokenSquared(shape: ModelShape): number {
  return 2 * shape.layers * shape.heads * shape.headSize;
}

/** Counted from the sizes; norms and biases, less than a thousandth of a model, are left out. */
export function countedParameters(shape: ModelShape): { readonly all: number; readonly active: number } {
  const { layers, hiddenSize, heads, kvHeads, headSize, experts } = shape;
  const attention = 2 * hiddenSize * headSize * (heads + kvHeads);
  const one = feedForwardParameters(shape, shape.feedForwardSize);
  const embeddings = embeddingParameters(shape) * (shape.isTied ? 1 : 2);
  if (experts === undefined) {
    const all = layers * (attention + one) + embeddings;
    return { all, active: all };
  }
  const router = hiddenSize * experts.count;
  const everyToken = attention + router + feedForwardParameters(shape, experts.sharedFeedForwardSize);
  return {
    all: layers * (everyToken + experts.count * one) + embeddings,
    active: layers * (everyToken + experts.active * one) + embeddings,
  };
}

function embeddingParameters(shape: ModelShape): number {
  return shape.vocabularySize * shape.hiddenSize;
}

/** A gate, a way up and a way down (SwiGLU), as all the models here have it. */
function feedForwardParameters(shape: ModelShape, innerSize: number): number {
  return 3 * shape.hiddenSize * innerSize;
}
