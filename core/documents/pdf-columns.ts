/**
 * The reading order of columns. Most programs draw one column after the other; where a page is drawn line by line
 * across its columns, each line is taken apart at the gutter between them.
 */
import type { Cell, Line } from "./pdf-lines.js";

/** A cell of a line, to be put in its place. */
interface Item extends Cell {
  readonly line: Line;
  readonly right?: number;
}

/** So many lines side by side make columns. */
const FEWEST_LINES = 4;
/** Of the lines of a column most fill it; cells of a table seldom do. */
const FILLED = 0.7;
const FILLED_SHARE = 0.5;
/** A column of prose has so many characters a line; a table's cell seldom does. */
const CHARACTERS = 15;
/** More than this many columns are a table. */
const DEEPEST = 3;

/** The same words with columns one after the other; lines that reach across the gutter end the columns above them. */
export function inColumns(lines: readonly Line[]): readonly Line[] {
  const items = lines.flatMap((line) => line.cells.map((cell) => ({ ...cell, line })));
  const ordered = split(items, 0);
  return ordered === items ? lines : rejoined(ordered);
}

function split(items: Item[], depth: number): Item[] {
  const gutter = depth < DEEPEST ? findGutter(items) : undefined;
  if (gutter === undefined) return items;
  const ordered: Item[] = [];
  let left: Item[] = [];
  let right: Item[] = [];
  const flush = () => {
    ordered.push(...split(bounded(left), depth + 1), ...split(bounded(right), depth + 1));
    left = [];
    right = [];
  };
  for (const item of items) {
    if (item.end <= gutter) left.push(item);
    else if (item.x >= gutter) right.push(item);
    else {
      flush();
      ordered.push(item);
    }
  }
  flush();
  return ordered;
}

/** The cells of one column with its right edge. */
function bounded(items: readonly Item[]): Item[] {
  const right = items.reduce((most, { end }) => Math.max(most, end), Number.NEGATIVE_INFINITY);
  return items.map((item) => ({ ...item, right }));
}

/** Where most pairs of neighbours drawn one after the other on one height have their gap, if they are prose. */
function findGutter(items: readonly Item[]): number | undefined {
  const pairs: (readonly [left: Item, right: Item])[] = [];
  for (let i = 1; i < items.length; i++) {
    const [one, other] = [items[i - 1] as Item, items[i] as Item];
    if (one.line.turns !== other.line.turns || Math.abs(one.line.y - other.line.y) >= one.line.size) continue;
    if (one.end < other.x) pairs.push([one, other]);
    else if (other.end < one.x) pairs.push([other, one]);
  }
  if (pairs.length < FEWEST_LINES) return undefined;
  const gutter = mostCovered(pairs);
  const beside = pairs.filter(([left, right]) => left.end <= gutter && right.x >= gutter);
  if (beside.length < FEWEST_LINES) return undefined;
  const prose = isProse(beside.map(([left]) => left)) && isProse(beside.map(([, right]) => right));
  return prose ? gutter : undefined;
}

/** The x that lies in most of the pairs' gaps. */
function mostCovered(pairs: readonly (readonly [Item, Item])[]): number {
  const edges = pairs.flatMap(([left, right]) => [
    { x: left.end, step: 1 },
    { x: right.x, step: -1 },
  ]);
  edges.sort((one, other) => one.x - other.x || other.step - one.step);
  let depth = 0;
  let deepest = 0;
  let at = 0;
  edges.forEach(({ x, step }, index) => {
    depth += step;
    if (depth <= deepest) return;
    deepest = depth;
    at = (x + (edges[index + 1]?.x ?? x)) / 2;
  });
  return at;
}

function isProse(cells: readonly Cell[]): boolean {
  const width = cells.reduce((most, { end }) => Math.max(most, end), Number.NEGATIVE_INFINITY) - least(cells);
  const filled = cells.filter(({ x, end }) => end - x >= FILLED * width).length;
  const lengths = cells.map(({ text }) => text.length).sort((one, other) => one - other);
  return filled >= FILLED_SHARE * cells.length && (lengths[Math.floor(lengths.length / 2)] as number) >= CHARACTERS;
}

function least(cells: readonly Cell[]): number {
  return cells.reduce((most, { x }) => Math.min(most, x), Number.POSITIVE_INFINITY);
}

/** Cells that still stand beside each other on their line stay a row. */
function rejoined(items: readonly Item[]): Line[] {
  const lines: { line: Line; cells: Cell[]; right?: number }[] = [];
  for (const item of items) {
    const last = lines.at(-1);
    if (last?.line === item.line) last.cells.push(item);
    else lines.push({ line: item.line, cells: [item], right: item.right });
  }
  return lines.map(({ line, cells, right }) => ({ ...line, cells, right }));
}
