/**
 * The interface of a retention policy: pure functions from attention scores, and whatever else of a layer it asks for,
 * to the positions that each KV head of each layer keeps. A policy sees the layers in order, group by group, while the document is being read, and may
 * shrink the layers read so far each time; it never grows one. It knows nothing of llama.cpp, and llama.cpp
 * nothing of it.
 */

/** How a head's scores are smoothed over neighbouring positions before the best are taken. */
export interface Pooling {
  readonly kind: "none" | "average" | "max";
  /** Width in tokens, odd. */
  readonly kernel: number;
  /** How many times a position's own score is added to the pooled one, not negative; 0 when left out. */
  readonly own?: number;
}

/** How native code reduces the query heads that share one KV head. */
export type GroupReduction = "mean" | "max";

/** What is known before the first layer is read. */
export interface ReadingShape {
  /** Number of layers that keep KV of their own for all positions. */
  readonly layers: number;
  readonly kvHeads: number;
  /** All tokens of the prompt, window included. */
  readonly tokens: number;
  /**
   * The observation window: the prompt's last tokens (the instruction after the document). Every layer and head
   * keeps them, they count inside the budget, and they are never among a plan's positions. When it is longer than
   * the prompt, the whole prompt is the window and there is nothing to choose.
   */
  readonly window: number;
  /**
   * Positions before the window that every layer keeps (attention sinks, the system prompt), ascending, unique.
   * They count inside the budget and must be in every head's list of a plan.
   */
  readonly protectedPositions: readonly number[];
  /**
   * Total entries (one K and one V row of one KV head) per KV head, summed over all layers, window and protected
   * positions included. The end state holds exactly kvHeads times this many, or all when there are fewer (less where
   * layers cannot hold their part, because only some positions were passed on to them); what a policy holds at most until
   * then, it says itself (`Policy.heldEntries`).
   */
  readonly budget: number;
}

/**
 * What can be observed of a layer beside the window's summed attention. Each is made only for a policy that names it in
 * `needs`. `before` is tokens - window; arrays are row-major and, like scores, neither kept nor changed.
 */
export interface LayerObservations {
  /**
   * f32 [kvHeads x before]: how much the window's queries differ in the attention that they pay to a position: the
   * variance over them of the probability whose sum is the score (divided by queries - 1; 0 for a window of one query),
   * reduced over the query group like the scores. Wants a `reduction`.
   */
  readonly variances: Float32Array;
  /**
   * How widely the window's attention is spread: -p ln p summed over all query heads, window queries and positions
   * before the window, in nats. Wants a `reduction`.
   */
  readonly entropy: number;
  /** f32 [kvHeads x before]: the length of a position's value. */
  readonly valueNorms: Float32Array;
  /**
   * f32 [kvHeads x before x keySize]: the keys that attention sees, rotary embedding included; when KV is stored in q8_0
   * or q4_0 llama.cpp turns them by an orthogonal matrix, which leaves lengths and angles as they are. As large as twice
   * the layer's K in f16.
   */
  readonly keys: Float32Array;
  /**
   * f32 [queryHeads x before]: the logarithm, up to a constant per query head, of the attention that a position can
   * expect from queries yet to come, if they are distributed like the document's own (normal, with their mean m and
   * covariance C before rotary embedding, both turned by the mean rotation of the positions that follow the prompt):
   * m k / s + k C k / (2 s^2) with s the square root of the key size, or what the model has in its place (arXiv 2510.00636,
   * section 3).
   */
  readonly expectedLogits: Float32Array;
}

/** Scores of one layer: the attention that the window pays to each earlier position, summed over the window. */
export interface LayerScores extends Partial<LayerObservations> {
  /** 0 to layers - 1, counting only the layers that `ReadingShape.layers` counts. */
  readonly layer: number;
  /**
   * f32, row-major [kvHeads x (tokens - window)]; softmax probabilities summed over window queries, not pooled. Not
   * kept or changed: the caller may reuse the buffer. A value that is not finite ranks as 0.
   */
  readonly scores: Float32Array;
  /**
   * The positions before the window that went through this layer, ascending, protected ones among them; undefined: all of
   * them. Where only some were passed on to it (propagation.ts) every array here has a column for each of these, in their
   * order, and the layer can keep no others.
   */
  readonly positions?: Uint32Array | undefined;
}

/**
 * Positions one layer keeps: per KV head an ascending list without duplicates, none in the window. The lists are read-only
 * and never change later; heads that keep the same may share one. Lists of different lengths cost speed: each head is then
 * stored apart, and attention takes a call for each (docs/native.md).
 */
export interface LayerRetention {
  readonly layer: number;
  readonly positions: readonly Uint32Array[];
}

export interface PolicyRun {
  /**
   * Takes the scores of the next group of layers (in order, each layer once; the engine's groups are as large as
   * memory allows, one layer at the least, and the outcome must not depend on them) and returns the retention of every
   * layer of that group, and of any earlier layer that shrinks (its new positions are a subset of its last ones). They are
   * cut in the order in which they are returned.
   * @throws RangeError when layers come out of order or shapes differ
   */
  onGroup(group: readonly LayerScores[]): LayerRetention[];
}

export interface Policy {
  readonly name: string;
  /** The group reduction that its scores want; undefined when it reads no scores (then `scores` are empty arrays). */
  readonly reduction: GroupReduction | undefined;
  /** What it reads of each layer beside scores; these fields of `LayerScores` are then there. None when undefined. */
  readonly needs?: readonly (keyof LayerObservations)[];
  /** True when nothing is dropped: the engine then reads the plain way. */
  readonly keepsAll: boolean;
  /**
   * The policy that chooses once scores are those of the answer's own queries instead of the window's; itself when
   * undefined. It wants the same `reduction`, and nothing beyond `needs`.
   */
  readonly aimed?: Policy | undefined;
  /**
   * The policy that chooses for a question put to a whole cache that was read before: of that reading only scores and
   * `valueNorms` are known. Itself when undefined.
   */
  readonly recalled?: Policy | undefined;
  /**
   * For each layer, the most entries per KV head (the mean over them), summed over the layers up to it, window and
   * protected positions included, that are held once it has been read; it does not depend on the scores. The largest of
   * them is exact when each call of `onGroup` brings one layer; none is less than what is held when calls bring more, or
   * only some positions were passed on. Staging, and copies made while a layer is cut, come on top.
   * @throws what `begin` throws
   */
  heldEntries(shape: ReadingShape): number[];
  /**
   * @throws PrecisError budget-too-small, naming the smallest that works, when window and protected positions alone
   *   exceed the budget (a policy that keeps all ignores the budget)
   * @throws RangeError for a shape that makes no sense
   */
  begin(shape: ReadingShape): PolicyRun;
}
