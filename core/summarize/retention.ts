/** What reading kept of a text, as a picture: layers by stretches of the text. */
import type { Engine, Prompt } from "../engine/types.js";
import { type Part, partsOf, type Reading } from "./reading.js";
import type { Retention } from "./result.js";

/** Stretches that a whole text is shown in: about as many as a window has room for. */
const mapColumns = 512;

/** All of a stretch, in every KV head. */
const whole = 255;

/**
 * How much of each of `columns` stretches of the tokens [from, to) one layer keeps, 0 to 255; what is kept at all is at
 * least 1.
 * @param positions per KV head, ascending
 * @param columns at most to - from
 */
export function sharesKept(positions: readonly Uint32Array[], from: number, to: number, columns: number): Uint8Array {
  const tokens = to - from;
  const counts = new Uint32Array(columns);
  // heads that keep the same share one list
  const heads = new Map<Uint32Array, number>();
  for (const list of positions) heads.set(list, (heads.get(list) ?? 0) + 1);
  const startOf = (column: number) => Math.ceil((column * tokens) / columns);
  for (const [list, times] of heads) {
    let at = 0;
    while (at < list.length && (list[at] as number) < from) at++;
    for (let column = 0; column < columns; column++) {
      const first = at;
      const end = from + startOf(column + 1);
      while (at < list.length && (list[at] as number) < end) at++;
      counts[column] = (counts[column] as number) + times * (at - first);
    }
  }
  return Uint8Array.from(counts, (count, column) => {
    const size = startOf(column + 1) - startOf(column);
    return Math.ceil((whole * count) / (size * positions.length || 1));
  });
}

/** Gathers one reading's part of the picture, layer by layer. */
export class KeptOfPart {
  readonly #rows: Uint8Array[] = [];
  readonly #from: number;
  readonly #to: number;
  readonly #columns: number;

  /** @param total tokens of all parts */
  constructor({ tokens, windowTokens, headTokens }: Prompt, part: Part, total: number) {
    this.#to = tokens.length - windowTokens;
    // what is read of the part before, as context, is that part's
    this.#from = Math.max(headTokens, this.#to - part.tokens);
    this.#columns = Math.min(this.#to - this.#from, Math.max(1, Math.round((mapColumns * part.tokens) / total)));
  }

  readonly add = (positions: readonly Uint32Array[]): void => {
    if (this.#columns > 0) this.#rows.push(sharesKept(positions, this.#from, this.#to, this.#columns));
  };

  /** Rows of bytes in base64; undefined when nothing was dropped. */
  get shares(): string | undefined {
    return this.#rows.length === 0 ? undefined : Buffer.concat(this.#rows).toString("base64");
  }
}

/**
 * The picture of a whole run: those of its parts side by side, with the places where pages begin.
 * @param kept of each part, in order
 * @returns undefined when a part has none: nothing of it was dropped, or it is from an older version
 */
export function retentionOf(
  engine: Engine,
  readings: readonly Reading[],
  layers: number,
  kept: readonly (string | undefined)[],
): Retention | undefined {
  const pictures = kept.flatMap((shares) => (shares === undefined ? [] : [Buffer.from(shares, "base64")]));
  if (layers === 0 || pictures.length === 0 || pictures.length < kept.length) return undefined;
  const widths = pictures.map(({ length }) => length / layers);
  const rows = Array.from({ length: layers }, (_, layer) =>
    pictures.map((picture, part) => {
      const width = widths[part] as number;
      return picture.subarray(layer * width, (layer + 1) * width);
    }),
  );
  return {
    columns: widths.reduce((sum, width) => sum + width, 0),
    shares: Buffer.concat(rows.flat()).toString("base64"),
    pages: pageStarts(engine, readings, widths),
  };
}

/** Where pages begin, in columns; a page that two parts share begins in the first. */
function pageStarts(engine: Engine, readings: readonly Reading[], widths: readonly number[]): Retention["pages"] {
  const found: Retention["pages"] = [];
  let left = 0;
  let part = 0;
  readings.forEach((reading, document) => {
    const { text, pages } = reading.source;
    for (const { start, end } of partsOf(reading)) {
      const held = pages.flatMap((page) => {
        const [first, last] = [Math.max(start, page.start), Math.min(end, page.end)];
        if (first >= last) return [];
        return [{ page, begins: first === page.start, tokens: engine.tokenize(text.slice(first, last)).length }];
      });
      const tokens = held.reduce((sum, one) => sum + one.tokens, 0);
      const width = widths[part] as number;
      let before = 0;
      for (const one of held) {
        const at = left + (width * before) / Math.max(1, tokens);
        if (one.begins) found.push({ document, page: one.page.number, at: Math.round(at * 100) / 100 });
        before += one.tokens;
      }
      left += width;
      part += 1;
    }
  });
  return found;
}
