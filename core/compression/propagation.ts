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
  /** Tokens, window included, that will go through each of `shape.layers` layers, as far as can be said beforehand; */
  expectedTokens(shape: PropagationShape): number[];
  /** and the most that may, when each layer is a group. */
  mostTokens(shape: PropagationShape): number[];
  begin(shape: PropagationShape): PropagationRun;
}

export type PropagationShape = Pick<ReadingShape, "layers" | "tokens" | "window" | "protectedPositions">;

/** One place where fewer positions go on; all shares are from 0 to 1. */
export interface CutSettings {
  /** Shares of the model's layers: the first that is looked at, and the last. */
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
  /** How much narrower than the widest layer's attention it must be again for the cut: the share by which its best hold more. */
  readonly narrowing: number;
  /** As many positions go on as hold this share of the window's attention, within the cut's bounds. */
  readonly mass: number;
  /** Positions before the window that go on whatever attention looks like: the document's end. */
  readonly tail: number;
  /** So many positions go on at most, however long the text, beside those that always do; GemFilter takes 1,024 to 4,096. */
  readonly positions: number;
}

/** Chosen on the tuning split (docs/decisions.md). */
export const propagationDefaults: PropagationSettings = {
  cuts: [{ earliest: 1 / 5, latest: 1 / 3, least: 0.3, most: 0.35 }],
  pooling: { kind: "average", kernel: 31 },
  narrowing: 0.1,
  mass: 0.6,
  tail: 32,
  positions: 4096,
};

/**
 * Passes on what the window attends to. FastKV (arXiv 2502.01068, section 3) lets a fixed share of the tokens go on from a
 * fixed layer on; GemFilter (arXiv 2409.17422, section 3) finds in an early layer the tokens that the whole model then
 * reads anew. Both choose layer and share for a model beforehand. Here attention says so while it is read.
 *
 * Of each layer, scores f32 [kvHeads x columns] are pooled over neighbours, and a position counts as much as it does for
 * the head that values it most. What early layers attend to is mostly the text's end, whatever is asked; a layer that looks
 * for something all over the text is one whose attention is spread widely: its best tenth of the positions holds little. So
 * the cut comes when attention narrows again (by the share `narrowing`), at `latest` in any case, and what goes on is chosen
 * by the widest layer since `earliest`: as many positions as hold the share `mass` of all that count there, between `least`
 * and `most`; beside protected positions and the tail, which always do.
 * @throws RangeError for settings outside their range
 */
export function propagation(settings: Partial<PropagationSettings> = {}): Propagation {
  const checked = withDefaults("propagation", propagationDefaults, settings);
  check(checked);
  return {
    name: "fast",
    expectedTokens: (shape) =>
      tokensThrough(shape, checked, ({ earliest, latest, least, most }) => ({
        // the middle of the bounds for the widest layer, and a layer more, after which attention has narrowed again
        layers: Math.min(latest, Math.ceil((earliest + latest) / 2) + 1),
        positions: (least + most) / 2,
      })),
    mostTokens: (shape) => tokensThrough(shape, checked, ({ latest, most }) => ({ layers: latest, positions: most })),
    begin: (shape) => begin(shape, checked),
  };
}

function check({ cuts, pooling, narrowing, mass, tail, positions }: PropagationSettings): void {
  checkPooling(pooling);
  const shares = [narrowing, mass, ...cuts.flatMap((cut) => [cut.earliest, cut.latest, cut.least, cut.most])];
  if (shares.some((share) => !(share >= 0 && share <= 1))) throw new RangeError("shares are from 0 to 1");
  if (cuts.some((cut) => cut.earliest > cut.latest || cut.least > cut.most)) {
    throw new RangeError("a cut's first bounds are not above its second");
  }
  for (const count of [tail, positions]) {
    if (!Number.isInteger(count) || count < 0) throw new RangeError(`positions are a whole number, not ${count}`);
  }
}

/** Layers read before a cut, at least 1, and positions: whole numbers for one document. */
function boundsOf(
  { earliest, latest, least, most }: CutSettings,
  { positions }: PropagationSettings,
  layers: number,
  before: number,
) {
  return {
    earliest: Math.max(1, Math.round(earliest * layers)),
    latest: Math.max(1, Math.round(latest * layers)),
    least: Math.min(positions, Math.ceil(least * before)),
    most: Math.min(positions, Math.ceil(most * before)),
  };
}

/** @param place of a cut within its bounds: layers read before it, and positions that go on beside those that always do */
function tokensThrough(
  shape: PropagationShape,
  settings: PropagationSettings,
  place: (bounds: ReturnType<typeof boundsOf>) => { readonly layers: number; readonly positions: number },
): number[] {
  const { cuts, tail } = settings;
  const { layers, tokens } = shape;
  const window = Math.min(shape.window, tokens);
  const before = tokens - window;
  const through = new Array<number>(layers).fill(tokens);
  for (const cut of cuts) {
    const cutAt = place(boundsOf(cut, settings, layers, before));
    const passed = Math.min(before, cutAt.positions + tail + shape.protectedPositions.length);
    for (let layer = cutAt.layers; layer < layers; layer++) {
      through[layer] = Math.min(through[layer] as number, Math.round(passed) + window);
    }
  }
  return through;
}

/** The share of the positions whose hold on attention says how wide it is. */
const best = 0.1;

function begin(shape: PropagationShape, settings: PropagationSettings): PropagationRun {
  const { layers, tokens, protectedPositions } = shape;
  const { cuts, pooling, narrowing, mass, tail } = settings;
  const before = Math.max(0, tokens - shape.window);
  const always = new Set(protectedPositions);
  for (let position = Math.max(0, before - tail); position < before; position++) always.add(position);
  /** Positions that come to the next layer. */
  let came: Uint32Array = Uint32Array.from({ length: before }, (_, position) => position);
  let widest: { readonly worth: Float32Array; readonly held: number } | undefined;
  let layersRead = 0;
  let cutsMade = 0;

  return {
    onGroup(group) {
      const cut = cuts[cutsMade];
      let now = false;
      for (const { layer, scores } of group) {
        if (layer !== layersRead) throw new RangeError(`layer ${layer} came after ${layersRead} layers`);
        layersRead++;
        if (!cut || now || layersRead === layers) continue;
        const { earliest, latest } = boundsOf(cut, settings, layers, before);
        if (layersRead < earliest) continue;
        const worth = worthOf(scores, came, always, pooling);
        const held = heldBy(worth, Math.ceil(best * worth.length));
        if (!widest || held < widest.held) widest = { worth, held };
        now = held > widest.held * (1 + narrowing) || layersRead >= latest;
      }
      if (!cut || !now || !widest) return undefined;
      const { worth } = widest;
      const { least, most } = boundsOf(cut, settings, layers, before);
      const count = Math.min(worth.length, Math.max(least, Math.min(most, holding(worth, mass))));
      const open = came.filter((position) => !always.has(position));
      const chosen = new Set(Array.from(selectTop(worth, count), (place) => open[place] as number));
      came = came.filter((position) => always.has(position) || chosen.has(position));
      widest = undefined;
      cutsMade++;
      return came;
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
    const row = pool(
      Float32Array.from(open, (column) => scores[from + column] as number),
      pooling,
    );
    for (let i = 0; i < row.length; i++) worth[i] = Math.max(worth[i] as number, row[i] as number);
  }
  return worth;
}

/** The share of all that the `count` largest values hold. */
function heldBy(values: Float32Array, count: number): number {
  const sum = (list: Float32Array) => list.reduce((total, value) => total + value, 0);
  return sum(values.toSorted((a, b) => b - a).subarray(0, count)) / (sum(values) || 1);
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
