/** The retention map's arithmetic: from what a result says was kept to pixels, places and shares. */
import type { Retention } from "../../electron/contract.js";

export interface RetentionMap {
  readonly layers: number;
  readonly columns: number;
  /** [layers x columns], 0 to 255: how much of a stretch of the text a layer keeps. */
  readonly shares: Uint8Array;
  readonly pages: Retention["pages"];
}

/** @returns undefined when the picture does not have a row for each layer */
export function retentionMap({ columns, shares, pages }: Retention, layers: number): RetentionMap | undefined {
  const bytes = Uint8Array.from(atob(shares), (letter) => letter.charCodeAt(0));
  return bytes.length === layers * columns && bytes.length > 0 ? { layers, columns, shares: bytes, pages } : undefined;
}

/**
 * The map as pixels, RGBA, row by row: each the mean of what it covers.
 * @param palette RGB of the shares 0 to 255
 */
export function pixelsOf(
  { layers, columns, shares }: RetentionMap,
  width: number,
  height: number,
  palette: Uint8ClampedArray,
): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(4 * width * height);
  const sums = new Uint32Array(columns);
  let [first, last] = [-1, -1];
  for (let y = 0; y < height; y++) {
    const from = Math.floor((y * layers) / height);
    const to = Math.max(from + 1, Math.floor(((y + 1) * layers) / height));
    const row = 4 * width * y;
    if (from === first && to === last) {
      // a layer is often several pixels high
      pixels.copyWithin(row, row - 4 * width, row);
      continue;
    }
    [first, last] = [from, to];
    sums.fill(0);
    for (let layer = from; layer < to; layer++) {
      for (let column = 0; column < columns; column++) {
        sums[column] = (sums[column] as number) + (shares[layer * columns + column] as number);
      }
    }
    for (let x = 0; x < width; x++) {
      const left = Math.floor((x * columns) / width);
      const right = Math.max(left + 1, Math.floor(((x + 1) * columns) / width));
      let sum = 0;
      for (let column = left; column < right; column++) sum += sums[column] as number;
      const colour = 3 * Math.round(sum / ((right - left) * (to - from)));
      const at = row + 4 * x;
      pixels[at] = palette[colour] as number;
      pixels[at + 1] = palette[colour + 1] as number;
      pixels[at + 2] = palette[colour + 2] as number;
      pixels[at + 3] = 255;
    }
  }
  return pixels;
}

/** A lightness, chroma and hue of OKLCH. */
export type Colour = readonly [lightness: number, chroma: number, hue: number];

/**
 * Colours of the shares 0 to 255, from one end to the other in even steps of lightness. Most shares are small, so the root
 * of a share decides: a quarter kept stands half-way.
 * @returns CSS colours
 */
export function colourRamp(none: Colour, all: Colour): string[] {
  return Array.from({ length: 256 }, (_, share) => {
    const at = Math.sqrt(share / 255);
    const [lightness, chroma, hue] = none.map((value, index) => value + at * ((all[index] as number) - value));
    return `oklch(${lightness} ${chroma} ${hue})`;
  });
}

/** Reads "oklch(0.9 0.02 195)", or "oklch(90% .02 195)" as a minifier writes it. */
export function parseColour(text: string): Colour {
  const [lightness = 0, chroma = 0, hue = 0] = (text.match(/[\d.]+%?/g) ?? []).map((part) =>
    part.endsWith("%") ? Number.parseFloat(part) / 100 : Number(part),
  );
  return [lightness, chroma, hue];
}

/** A place on the map, 0..1 from its left and its top. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** What is there. */
export interface Place {
  /** From 0, in the order of the result's layers. */
  readonly layer: number;
  readonly page: Retention["pages"][number] | undefined;
  /** 0..1: how far into the page. */
  readonly within: number;
  /** 0..1, of the stretch at this place: kept by this layer, and by all of them on average. */
  readonly share: number;
  readonly everywhere: number;
}

const within = (value: number, most: number) => Math.min(most - 1, Math.max(0, Math.floor(value)));

export function placeAt(map: RetentionMap, { x, y }: Point): Place {
  const { layers, columns, shares, pages } = map;
  const column = within(x * columns, columns);
  const layer = within(y * layers, layers);
  const index = pageIndex(pages, column);
  const page = pages[index];
  const size = (pages[index + 1]?.at ?? columns) - (page?.at ?? 0);
  return {
    layer,
    page,
    within: Math.min(1, Math.max(0, (column + 0.5 - (page?.at ?? 0)) / Math.max(size, 1e-6))),
    share: (shares[layer * columns + column] as number) / 255,
    everywhere: meanOf(map, column),
  };
}

/** Characters of a page's text that are shown around a place. */
const passageLength = 180;

/** The words of a page around a place of it, on one line. */
export function passageAround(text: string, within: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  const middle = Math.round(within * line.length);
  const from = Math.max(0, Math.min(middle - passageLength / 2, line.length - passageLength));
  const start = from === 0 ? 0 : line.indexOf(" ", from) + 1;
  const cut = start + passageLength >= line.length ? line.length : line.lastIndexOf(" ", start + passageLength);
  const end = cut > start ? cut : start + passageLength;
  return `${start > 0 ? "… " : ""}${line.slice(start, end)}${end < line.length ? " …" : ""}`;
}

/** 0..1: how much of a column is kept by all layers on average. */
function meanOf({ layers, columns, shares }: RetentionMap, column: number): number {
  let sum = 0;
  for (let row = 0; row < layers; row++) sum += shares[row * columns + column] as number;
  return sum / layers / 255;
}

/** The page that the middle of a column is on; the first one where no page has begun. */
function pageIndex(pages: RetentionMap["pages"], column: number): number {
  return Math.max(
    0,
    pages.findLastIndex(({ at }) => at <= column + 0.5),
  );
}

/** Where an arrow key leads: to the page before or behind, to the layer above or below. Undefined for another key. */
export function movedPoint(map: RetentionMap, from: Point = { x: 0, y: 0 }, key: string): Point | undefined {
  const { layers, columns, pages } = map;
  const across = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
  const down = key === "ArrowDown" ? 1 : key === "ArrowUp" ? -1 : 0;
  if (down !== 0) return { x: from.x, y: (within(from.y * layers + down, layers) + 0.5) / layers };
  if (across === 0) return undefined;
  const column = within(from.x * columns, columns);
  const starts = pages.map(({ at }) => within(at + 0.5, columns));
  const start = across > 0 ? starts.find((one) => one > column) : starts.findLast((one) => one < column);
  return start === undefined ? from : { x: (start + 0.5) / columns, y: from.y };
}

export interface KeptPage {
  readonly document: number;
  readonly page: number;
  /** 0..1, the mean over layers. */
  readonly share: number;
}

/** How much of each page is kept. */
export function keptByPage(map: RetentionMap): KeptPage[] {
  const { columns, pages } = map;
  const means = Array.from({ length: columns }, (_, column) => meanOf(map, column));
  return pages.map(({ document, page, at }, index) => {
    const end = Math.max(at, pages[index + 1]?.at ?? columns);
    let [sum, width] = [0, 0];
    for (let column = Math.min(columns - 1, Math.floor(at)); column < Math.max(end, at + 0.01); column++) {
      // a page may begin or end within a column
      const part = Math.max(0.01, Math.min(column + 1, end) - Math.max(column, at));
      sum += part * (means[column] ?? 0);
      width += part;
    }
    return { document, page, share: width === 0 ? 0 : sum / width };
  });
}

export interface Tick {
  readonly document: number;
  readonly page: number;
  /** 0..1 from the left. */
  readonly at: number;
}

/** The pages that a ruler names: as many as there is room for, at a round distance, and always the first. */
export function rulerTicks({ columns, pages }: RetentionMap, room: number): Tick[] {
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((each) => pages.length / each <= room) ?? pages.length;
  const wanted = pages.filter(({ page }, index) => index === 0 || page % step === 0);
  const ticks: Tick[] = [];
  for (const { document, page, at } of wanted) {
    const place = at / columns;
    // the number of a short page must not stand on that of the one before
    const last = ticks.at(-1);
    const apart = 0.8 / Math.max(1, room);
    if (!last || (place - last.at >= apart && place < 1 - apart / 2)) ticks.push({ document, page, at: place });
  }
  return ticks;
}

/** The tints of a page's words, from the lightest on: each for what at least such a share of is kept, over all layers. */
export const tints = [0.08, 0.2, 0.4, 0.7] as const;

/** A stretch of a page's text, and which of the tints it has. */
export interface Tinted {
  readonly start: number;
  readonly end: number;
  readonly tint: number;
}

/**
 * Which words of a page are kept. The map's columns are even stretches of its tokens, here taken for as even stretches of
 * its letters; a word has the tint of its beginning.
 * @param document counted as in the map
 */
export function tintsOf(map: RetentionMap, document: number, page: number, text: string): Tinted[] {
  const index = map.pages.findIndex((one) => one.document === document && one.page === page);
  const from = map.pages[index]?.at;
  if (from === undefined || text === "") return [];
  const columns = Math.max(0, (map.pages[index + 1]?.at ?? map.columns) - from);
  const means = new Map<number, number>();
  const tintAt = (offset: number) => {
    const column = within(from + (offset / text.length) * columns, map.columns);
    const share = means.get(column) ?? meanOf(map, column);
    means.set(column, share);
    return tints.findLastIndex((least) => share >= least);
  };
  const found: Tinted[] = [];
  for (const { 0: word, index: start } of text.matchAll(/\S+\s*/g)) {
    // scripts without spaces have no words to go by
    for (let at = 0; at < word.length; at += longestWord) {
      const end = start + Math.min(word.length, at + longestWord);
      const tint = tintAt(start + at);
      const last = found.at(-1);
      if (last?.tint === tint && last.end === start + at) found[found.length - 1] = { ...last, end };
      else found.push({ start: start + at, end, tint });
    }
  }
  return found.filter(({ tint }) => tint >= 0);
}

const longestWord = 16;
