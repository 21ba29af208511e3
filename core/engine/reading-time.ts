/** How long reading will still take, learnt from how long it has taken so far. Pure. */
import { batchTokens, type LayerCosts } from "./shape.js";

/** What was read or is to be read: of each layer the tokens that go through it, summed up, and their squares. */
export interface ReadingWork {
  readonly tokens: number;
  readonly squares: number;
}

/**
 * @param progress layers times tokens that are read
 * @param through tokens that go through each layer
 * @param together layers that each batch goes through before the next one does
 */
export function workAt(
  progress: number,
  through: readonly number[],
  together: number,
  { weights, projections }: LayerCosts,
): { readonly done: ReadingWork; readonly left: ReadingWork; readonly layersRead: number } {
  const done = { tokens: 0, squares: 0 };
  const left = { tokens: 0, squares: 0 };
  let layersRead = 0;
  let ahead = progress;
  for (let layer = 0; layer < through.length; layer += together) {
    const group = through.slice(layer, layer + together);
    const [all = 0] = group;
    // of the batch at work half is read on average
    const tokens = ahead / group.length + Math.min(all, batchTokens) / 2;
    const read = ahead > 0 || layer === 0 ? Math.min(all, tokens) : 0;
    ahead = Math.max(0, ahead - group.length * all);
    for (const index of group.keys()) {
      // nobody reads what comes out of the last layer but that of the last token
      const last = layer + index === through.length - 1;
      const [ofToken, ofSquare] = last ? [projections / weights, 0] : [1, 1];
      done.tokens += ofToken * read;
      done.squares += ofSquare * read * read;
      left.tokens += ofToken * (all - read);
      left.squares += ofSquare * (all * all - read * read);
    }
    if (read === all) layersRead += group.length;
  }
  return { done, left, layersRead };
}

interface Moment {
  readonly done: ReadingWork;
  readonly ms: number;
}

/** Layers by whose time the next ones are judged. */
const recent = 3;

/** No fit is off from what the multiply-adds say by more than this factor. */
const trusted = 4;

/**
 * A token's way through a layer's weights takes the same time wherever it stands; over the tokens before it, longer the
 * later it comes. So a layer takes a·n + b·n² for n tokens. What a processor makes of either kind of work differs too much
 * to know it beforehand: how the time grows within layers tells b over a, by least squares, and the last layers tell the pace.
 */
export class ReadingTime {
  /** The starts of the last layers, and the latest report. */
  readonly #starts: Moment[] = [{ done: { tokens: 0, squares: 0 }, ms: 0 }];
  #last: Moment | undefined;
  #layersRead = 0;
  /** Sums of products of tokens, squares and milliseconds, each since the layer's start. */
  #tt = 0;
  #ts = 0;
  #ss = 0;
  #tm = 0;
  #sm = 0;

  /** @param ratio b over a as the multiply-adds have it */
  constructor(private readonly ratio: number) {}

  /** So much was read after so many milliseconds. */
  add(done: ReadingWork, layersRead: number, ms: number): void {
    this.#last = { done, ms };
    if (layersRead > this.#layersRead) {
      this.#layersRead = layersRead;
      this.#starts.push(this.#last);
      if (this.#starts.length > recent) this.#starts.shift();
      return;
    }
    const start = this.#starts.at(-1) as Moment;
    const { tokens, squares } = minus(done, start.done);
    this.#tt += tokens * tokens;
    this.#ts += tokens * squares;
    this.#ss += squares * squares;
    this.#tm += tokens * (ms - start.ms);
    this.#sm += squares * (ms - start.ms);
  }

  /** Milliseconds for so much; undefined before anything was read. */
  of(work: ReadingWork): number | undefined {
    const [first] = this.#starts;
    if (!this.#last || !first) return undefined;
    const ratio = this.#fitted();
    const size = ({ tokens, squares }: ReadingWork) => tokens + ratio * squares;
    const seen = size(minus(this.#last.done, first.done));
    return seen > 0 ? ((this.#last.ms - first.ms) / seen) * size(work) : undefined;
  }

  #fitted(): number {
    const determinant = this.#tt * this.#ss - this.#ts * this.#ts;
    // where hardly anything tells the two apart, both are noise
    if (!(determinant > 1e-9 * this.#tt * this.#ss)) return this.ratio;
    const a = this.#tm * this.#ss - this.#sm * this.#ts;
    const b = this.#sm * this.#tt - this.#tm * this.#ts;
    const fitted = a > 0 ? b / a : Number.POSITIVE_INFINITY;
    return Math.min(this.ratio * trusted, Math.max(this.ratio / trusted, fitted));
  }
}

const minus = (one: ReadingWork, other: ReadingWork): ReadingWork => ({
  tokens: one.tokens - other.tokens,
  squares: one.squares - other.squares,
});
