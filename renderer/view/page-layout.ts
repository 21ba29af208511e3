/** Where a document's pages lie under one another, so that only those in sight need to be there. Lengths in CSS pixels. */

/** Above each page, and below the last. */
export const pageGap = 12;

/** Browsers place nothing further down than 2^25 pixels. */
const mostHeight = 32_000_000;

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** "fit": a page is as wide as there is room; 1: as large as on paper. */
export type Zoom = "fit" | number;

export const zoomSteps = [0.25, 0.33, 0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4] as const;

/** The next step from a zoom that need not be one. */
export function nextZoom(zoom: number, direction: 1 | -1): number {
  // Two zooms that are shown as the same percentage are the same.
  const further = zoomSteps.filter((step) => (step - zoom) * direction > 0.005);
  return (direction === 1 ? further[0] : further.at(-1)) ?? (direction === 1 ? zoomSteps.at(-1) : zoomSteps[0]) ?? zoom;
}

/** CSS pixels of a PDF's unit, 1/72 inch. */
const pixelsPerPoint = 96 / 72;

/** How large a page of a PDF is shown, and the zoom that this is. `room`: the width that there is. */
export function shownSize(size: Size, zoom: Zoom, room: number): Size & { readonly zoom: number } {
  const least = zoomSteps[0];
  const actual = zoom === "fit" ? Math.max(least, (room - 2 * pageGap) / (size.width * pixelsPerPoint)) : zoom;
  const scale = actual * pixelsPerPoint;
  return { width: Math.floor(size.width * scale), height: Math.floor(size.height * scale), zoom: actual };
}

/** All pages as large as `shownSize` says, or less where that would be higher than a browser can show. */
export function shownSizes(sizes: readonly Size[], zoom: Zoom, room: number): Size[] {
  const shown = sizes.map((size) => shownSize(size, zoom, room));
  const height = shown.reduce((sum, size) => sum + size.height + pageGap, 0);
  if (height <= mostHeight) return shown;
  const share = mostHeight / height;
  return shown.map((size) => ({ width: size.width * share, height: size.height * share }));
}

export interface PageLayout {
  /** Where each page begins; one more than there are pages: where a next one would. */
  readonly tops: readonly number[];
  readonly height: number;
}

export function layoutOf(heights: readonly number[]): PageLayout {
  const tops = [pageGap];
  for (const [index, height] of heights.entries()) tops.push((tops[index] as number) + height + pageGap);
  return { tops, height: tops.at(-1) as number };
}

/** A place that stays the same when pages become larger or smaller. */
export interface Place {
  /** From 1. */
  readonly page: number;
  /** How far down the page, as a share of its height and the gap behind it. */
  readonly at: number;
}

/** The page at a height, or the nearest. */
export function pageAt({ tops }: PageLayout, height: number): number {
  let low = 0;
  let high = tops.length - 2;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((tops[middle] as number) <= height) low = middle;
    else high = middle - 1;
  }
  return low + 1;
}

export function placeAt(layout: PageLayout, height: number): Place {
  const page = pageAt(layout, height);
  const [top, next] = edges(layout, page);
  return { page, at: (height - top) / (next - top) };
}

/** The height of a place, `placeAt`'s inverse. */
export function heightOf(layout: PageLayout, { page, at }: Place): number {
  const [top, next] = edges(layout, Math.min(Math.max(1, page), layout.tops.length - 1));
  return top + at * (next - top);
}

function edges({ tops }: PageLayout, page: number): [top: number, next: number] {
  return [tops[page - 1] as number, tops[page] as number];
}

/** First and last page of a stretch. */
export interface PageRange {
  readonly first: number;
  readonly last: number;
}

/** The pages of which something stands between two heights. */
export function pagesBetween(layout: PageLayout, from: number, to: number): PageRange {
  return { first: pageAt(layout, from + pageGap), last: pageAt(layout, Math.max(from + pageGap, to - 1)) };
}

/** The pages that are to be there: those in sight and a neighbour on either side, for scrolling to meet. */
export function pagesToShow({ first, last }: PageRange, count: number): number[] {
  const from = Math.max(1, first - 1);
  const to = Math.min(count, last + 1);
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}

/** The page that a reader would say is being read, of what stands between two heights. */
export function pageRead(layout: PageLayout, from: number, to: number): number {
  if (to >= layout.height - 1 && from > pageGap) return layout.tops.length - 1;
  return pageAt(layout, from + (to - from) / 3);
}

/** Device pixels for a CSS pixel of a page's picture: fewer on a page so large that its picture would fill the memory. */
export function pictureScale({ width, height }: Size, devicePixelRatio: number): number {
  return Math.min(devicePixelRatio, Math.sqrt(mostPixels / (width * height)));
}

/** 64 MiB of picture. */
const mostPixels = 2 ** 24;
