/**
 * The interface of a retention policy: pure functions from attention scores to the positions that each KV head of
 * each layer keeps. A policy sees the layers in order, group by group, while the document is being read, and may
 * shrink the layers read so far each time; it never grows one. It knows nothing of llama.cpp, and llama.cpp
 * nothing of it.
 */

/** How a head's scores are smoothed over neighbouring positions before the best are taken. */
export interface Pooling {
  readonly kind: "none" | "average" | "max";
  /** Width in tokens, odd. */
  readonly kernel: number;
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
   * positions included. The end state holds exactly this many for each head index, or all when there are fewer; what
   * a policy holds at most until then, it says itself (`Policy.peakEntries`).
   */
  readonly budget: number;
}

/** Scores of one layer: the attention that the window pays to each earlier position, summed over the window. */
export interface LayerScores {
  /** 0 to layers - 1, counting only the layers that `ReadingShape.layers` counts. */
  readonly layer: number;
  /**
   * f32, row-major [kvHeads x (tokens - window)]; softmax probabilities summed over window queries, not pooled. Not
   * kept or changed: the caller may reuse the buffer. A value that is not finite ranks as 0.
   */
  readonly scores: Float32Array;
}

/**
 * Positions one layer keeps: per KV head an ascending list without duplicates, all of one length, none in the window.
 * The lists are read-only and never change later; heads that keep the same may share one.
 */
export interface LayerRetention {
  readonly layer: number;
  readonly positions: readonly Uint32Array[];
}

export interface PolicyRun {
  /**
   * Takes the scores of the next group of layers (in order, each layer once; the engine's groups are as large as
   * memory allows, one layer at the least, and the outcome must not depend on them) and returns the retention of every
   * layer of that group, and of any earlier layer that shrinks (its new positions are a subset of its last ones).
   * @throws RangeError when layers come out of order or shapes differ
   */
  onGroup(group: readonly LayerScores[]): LayerRetention[];
}

export interface Policy {
  readonly name: string;
  /** The group reduction that its scores want; undefined when it reads no scores (then `scores` are empty arrays). */
  readonly reduction: GroupReduction | undefined;
  /** True when nothing is dropped: the engine then reads the plain way. */
  readonly keepsAll: boolean;
  /**
   * The largest number of entries per KV head, summed over the layers read so far, window and protected positions
   * included, that it holds after any `onGroup`. Exact when each call brings one layer; never less than what is held
   * when calls bring more. It does not depend on the scores. Staging, and copies made while a layer is cut, come on top.
   * @throws what `begin` throws
   */
  peakEntries(shape: ReadingShape): number;
  /**
   * @throws PrecisError budget-too-small, naming the smallest that works, when window and protected positions alone
   *   exceed the budget (a policy that keeps all ignores the budget)
   * @throws RangeError for a shape that makes no sense
   */
  begin(shape: ReadingShape): PolicyRun;
}
