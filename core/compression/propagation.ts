/**
 * What of a document goes on to later layers while it is read. Like a retention policy: pure functions from attention to
 * positions, asked after each group of layers. What is not passed on costs the layers that follow no time at all, and none
 * of them can keep it; the layers before have read all of it and keep what the retention policy says.
 */
import type { LayerScores, Pooling, ReadingShape } from "./policy.js";
import { checkPooling, pool } from "./pooling.js";
import { selectTop } from "./select.js";
import { withDefaults } from "./settings.js";

export interface PropagationRun {
  /**
   * Takes the scores of the next group of layers, in order.
   * @returns the positions before the window that go on to the next layers, ascending, a part of those that came to this
   *   group and never none of the protected ones; undefined: all that came
   */
  onGroup(group: readonly LayerScores[]): Uint32Array | undefined;
}

export interface Propagation {
  readonly name: string;
  /** Tokens, window included, that will go through each of `shape.layers` layers, as far as can be said beforehand. */
  expectedTokens(shape: PropagationShape): number[];
  begin(shape: PropagationShape): PropagationRun;
}

export type PropagationShape = Pick<ReadingShape, "layers" | "tokens" | "window" | "protectedPositions">;

/** One place where fewer positions go on; all shares are from 0 to 1. */
export interface CutSettings {
  /** Shares of the model's layers: not before the first, and after the second whatever attention looks like. */
  readonly earliest: number;
  readonly latest: number;
  /** Shares of the positions before the window: at least and at most so many go on. */
  readonly least: number;
  readonly most: number;
}

export interface PropagationSettings {
  /** From the first layers to the last. */
  readonly cuts: readonly CutSettings[];
  readonly pooling: Pooling;
  /** A cut comes once so large a share of the best positions are the same as at the layer before. */
  readonly stability: number;
  /** As many positions go on as hold this share of the window's attention, within the cut's bounds. */
  readonly mass: number;
  /** Positions before the window that go on whatever attention looks like: the document's end. */
  readonly tail: number;
}

/** Chosen on the tuning split (docs/eval/fast.md). */
export const propagationDefaults: PropagationSettings = {
  cuts: [{ earliest: 8 / 30, latest: 10 / 30, least: 0.1, most: 0.15 }],
  pooling: { kind: "average", kernel: 15 },
  stability: 0.6,
  mass: 0.8,
  tail: 32,
};

/**
 * Passes on what the window attends to. FastKV (arXiv 2502.01068, section 3) lets a fixed share of the tokens go on from a
 * fixed layer on; GemFilter (arXiv 2409.17422, section 3) finds in an early layer the tokens that the whole model then
 * reads anew. Both choose layer and share for a model beforehand.
 *
 * Here attention says so while it is read. Of each layer, scores f32 [kvHeads x columns] are pooled over neighbours, and a
 * position counts as much as it does for the head that values it most. Layers agree more and more on which positions
 * matter: the cut comes after the first layer, from `earliest` on, whose best positions are those of the layer before to
 * the share `stability`, and at `latest` in any case. So many positions go on as hold the share `mass` of all that count,
 * between `least` and `most`; beside protected positions and the tail, which always do.
 * @throws RangeError for settings outside their range
 */
export function propagation(settings: Partial<PropagationSettings> = {}): Propagation {
  const checked = withDefaults("propagation", propagationDefaults, settings);
  check(checked);
  return {
    name: "fast",
    expectedTokens: (shape) => expectedTokens(shape, checked),
    begin: (shape) => begin(shape, checked),
  };
}

function check({ cuts, pooling, stability, mass, tail }: PropagationSettings): void {
  checkPooling(pooling);
  const shares = [stability, mass, ...cuts.flatMap((cut) => [cut.earliest, cut.latest, cut.least, cut.most])];
  if (shares.some((share) => !(share >= 0 && share <= 1))) throw new RangeError("shares are from 0 to 1");
  if (cuts.some((cut) => cut.earliest > cut.latest || cut.least > cut.most)) {
    throw new RangeError("a cut's first bounds are not above its second");
  }
  if (!Number.isInteger(tail) || tail < 0) throw new RangeError(`the tail is a whole number, not ${tail}`);
}

/** Layers read before a cut, at least 1, and positions: whole numbers for one document. */
function boundsOf({ earliest, latest, least, most }: CutSettings, layers: number, before: number) {
  return {
    earliest: Math.max(1, Math.round(earliest * layers)),
    latest: Math.max(1, Math.round(latest * layers)),
    least: Math.ceil(least * before),
    most: Math.ceil(most * before),
  };
}

/** Of each cut the middle of its bounds. */
function expectedTokens(shape: PropagationShape, { cuts, tail }: PropagationSettings): number[] {
  const { layers, tokens } = shape;
  const window = Math.min(shape.window, tokens);
  const before = tokens - window;
  const through = new Array<number>(layers).fill(tokens);
  for (const cut of cuts) {
    const { earliest, latest, least, most } = boundsOf(cut, layers, before);
    const passed = Math.min(before, (least + most) / 2 + tail + shape.protectedPositions.length);
    for (let layer = Math.ceil((earliest + latest) / 2); layer < layers; layer++) {
      through[layer] = Math.min(through[layer] as number, Math.round(passed) + window);
    }
  }
  return through;
}

function begin(shape: PropagationShape, settings: PropagationSettings): PropagationRun {
  const { layers, tokens, protectedPositions } = shape;
  const { cuts, pooling, stability, mass, tail } = settings;
  const before = Math.max(0, tokens - shape.window);
  const always = new Set(protectedPositions);
  for (let position = Math.max(0, before - tail); position < before; position++) always.add(position);
  /** Positions that come to the next layer. */
  let came: Uint32Array = Uint32Array.from({ length: before }, (_, position) => position);
  let last: Uint32Array | undefined;
  let layersRead = 0;
  let cutsMade = 0;

  return {
    onGroup(group) {
      let chosen: Uint32Array | undefined;
      for (const { layer, scores } of group) {
        if (layer !== layersRead) throw new RangeError(`layer ${layer} came after ${layersRead} layers`);
        layersRead++;
        const cut = cuts[cutsMade];
        if (!cut || layersRead === layers) continue;
        const bounds = boundsOf(cut, layers, before);
        if (layersRead < bounds.earliest - 1) continue;
        const open = came.filter((position) => !always.has(position));
        const worth = worthOf(scores, came, always, pooling);
        const count = Math.min(open.length, Math.max(bounds.least, Math.min(bounds.most, holding(worth, mass))));
        const best = selectTop(worth, count);
        const same = last === undefined ? 0 : shared(last, best) / Math.max(1, best.length);
        last = best;
        if (layersRead < bounds.earliest || (same < stability && layersRead < bounds.latest)) continue;
        const passed = new Set(best.map((place) => open[place] as number));
        chosen = came.filter((position) => always.has(position) || passed.has(position));
      }
      if (!chosen) return undefined;
      cutsMade++;
      last = undefined;
      came = chosen;
      return chosen;
    },
  };
}

/** f32 [open positions that came]: each as the KV head counts it that counts it most. */
function worthOf(scores: Float32Array, came: Uint32Array, always: ReadonlySet<number>, pooling: Pooling): Float32Array {
  const columns = came.length;
  if (columns === 0 || scores.length % columns !== 0) {
    if (scores.length > 0) throw new RangeError(`${scores.length} scores are not of ${columns} positions`);
    return new Float32Array(0);
  }
  const open = came.reduce<number[]>((list, position, column) => {
    if (!always.has(position)) list.push(column);
    return list;
  }, []);
  const worth = new Float32Array(open.length);
  for (let from = 0; from < scores.length; from += columns) {
    // without sinks, whose scores would spill over to their neighbours
    const row = pool(Float32Array.from(open, (column) => scores[from + column] as number), pooling);
    for (let i = 0; i < row.length; i++) worth[i] = Math.max(worth[i] as number, row[i] as number);
  }
  return worth;
}

/** The fewest values that sum up to a share of all. */
function holding(values: Float32Array, share: number): number {
  const sorted = values.toSorted((a, b) => b - a);
  const wanted = share * sorted.reduce((sum, value) => sum + value, 0);
  let sum = 0;
  let count = 0;
  while (count < sorted.length && sum < wanted) sum += sorted[count++] as number;
  return count;
}

/** How many of two ascending lists are in both. */
function shared(one: Uint32Array, other: Uint32Array): number {
  let count = 0;
  for (let i = 0, j = 0; i < one.length && j < other.length; ) {
    const difference = (one[i] as number) - (other[j] as number);
    if (difference === 0) count++;
    if (difference <= 0) i++;
    if (difference >= 0) j++;
  }
  return count;
}
