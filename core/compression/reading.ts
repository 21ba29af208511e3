import { PrecisError } from "../errors.js";
import { said } from "../said.js";
import { apportion, countMarks } from "./budget.js";
import type { LayerObservations, LayerScores, Pooling, ReadingShape } from "./policy.js";
import { pool } from "./pooling.js";
import { cutOrAll, selectTop } from "./select.js";

/**
 * What every policy needs to know of a reading once its shape has been checked. "Open" positions are those that
 * compete: before the window and not protected. Window and protected entries are paid for beforehand, so a policy
 * only shares out `openBudget`.
 */
export interface Reading {
  readonly layers: number;
  readonly kvHeads: number;
  /** Tokens of the observation window that the prompt really has. */
  readonly window: number;
  /** Positions before the window: 0 to before - 1. */
  readonly before: number;
  /** The open positions, ascending. */
  readonly open: Uint32Array;
  /** Entries for open positions per KV head, summed over all layers; at most layers x open.length. */
  readonly openBudget: number;
  readonly protectedPositions: Uint32Array;
  /** Entries per KV head that each layer holds whatever the policy: window and protected positions. */
  readonly always: number;
}

/** The open positions that one KV head holds, ascending, and their pooled scores. */
export interface HeadHolding {
  readonly positions: Uint32Array;
  readonly scores: Float32Array;
}

/**
 * Checks a shape and works out what is left to share. A window longer than the prompt is the whole prompt.
 * @throws PrecisError budget-too-small when window and protected positions alone do not fit
 * @throws RangeError for a shape that makes no sense
 */
export function startReading(shape: ReadingShape): Reading {
  const { layers, kvHeads, tokens, protectedPositions } = shape;
  for (const [name, value, least] of [
    ["layers", layers, 1],
    ["kvHeads", kvHeads, 1],
    ["tokens", tokens, 0],
    ["window", shape.window, 0],
  ] as const) {
    if (!Number.isInteger(value) || value < least) throw new RangeError(`${name} cannot be ${value}`);
  }
  if (Number.isNaN(shape.budget)) throw new RangeError("the budget is not a number");
  const window = Math.min(shape.window, tokens);
  const before = tokens - window;
  for (const [index, position] of protectedPositions.entries()) {
    const last = index === 0 ? -1 : (protectedPositions[index - 1] as number);
    if (!Number.isInteger(position) || position <= last || position >= before) {
      throw new RangeError(`protected positions must ascend and lie before the window: ${last}, ${position}`);
    }
  }

  const always = window + protectedPositions.length;
  const budget = Math.min(Math.floor(shape.budget), layers * tokens);
  if (budget < layers * always) {
    throw new PrecisError(
      "budget-too-small",
      said`The memory for reading holds ${Math.max(0, Math.floor(budget / layers))} tokens per layer, but the instruction and the start of the prompt alone take ${always}.`,
      said`Set a budget of at least ${always} tokens per layer (${layers * always} entries over ${layers} layers).`,
    );
  }
  return {
    layers,
    kvHeads,
    window,
    before,
    open: openPositions(before, protectedPositions),
    openBudget: budget - layers * always,
    protectedPositions: Uint32Array.from(protectedPositions),
    always,
  };
}

/** Those before the window that are not protected. In one pass: the window's slider asks for it in every frame. */
function openPositions(before: number, closed: readonly number[]): Uint32Array {
  const open = new Uint32Array(before - closed.length);
  for (let position = 0, at = 0, next = 0; position < before; position++) {
    if (position === closed[next]) next++;
    else open[at++] = position;
  }
  return open;
}

/**
 * What `Policy.heldEntries` says of a reading.
 * @param openHeld entries for open positions per KV head that so many layers hold together, from 1 on
 */
export function heldEntries({ layers, always }: Reading, openHeld: (read: number) => number): number[] {
  return Array.from({ length: layers }, (_, layer) => openHeld(layer + 1) + (layer + 1) * always);
}

/** @throws RangeError when a layer comes out of order or after the last one */
export function checkOrder(reading: Reading, layersRead: number, layer: number): void {
  if (layer !== layersRead || layer >= reading.layers) {
    throw new RangeError(`layer ${layer} came after ${layersRead} of ${reading.layers} layers`);
  }
}

/**
 * All open positions of one layer with their pooled scores, per KV head. Protected positions are taken out before
 * pooling, so that the large scores of attention sinks do not spill over to their neighbours.
 * @param scores f32 [kvHeads x before]
 * @throws RangeError when the scores have another shape
 */
export function openHeads(reading: Reading, { layer, scores }: LayerScores, pooling: Pooling): HeadHolding[] {
  const { kvHeads, before, open } = reading;
  if (scores.length !== kvHeads * before) {
    throw new RangeError(`layer ${layer} has ${scores.length} scores, not ${kvHeads} x ${before}`);
  }
  return Array.from({ length: kvHeads }, (_, head) => {
    const row = scores.subarray(head * before, (head + 1) * before);
    return { positions: open, scores: pool(pick(row, open), pooling) };
  });
}

type ArrayObservation = Exclude<keyof LayerObservations, "entropy">;

/**
 * An array that a policy needs beside scores.
 * @param rows kvHeads x before
 * @param size what each row must have; undefined: any whole number
 * @returns f32 and how many elements there are for each row
 * @throws RangeError when it is missing or has another shape
 */
export function observed(
  layer: LayerScores,
  name: ArrayObservation,
  rows: number,
  size?: number,
): { values: Float32Array; size: number } {
  const values = layer[name];
  const each = values === undefined ? Number.NaN : rows === 0 ? 0 : values.length / rows;
  if (values === undefined || !Number.isInteger(each) || (rows > 0 && each !== (size ?? each))) {
    throw new RangeError(`layer ${layer.layer} has ${values?.length ?? "no"} ${name} for ${rows} rows`);
  }
  return { values, size: each };
}

/**
 * The reading as a layer sees it that only some positions went through: there a position is its place among them.
 * `before`, `open` and the protected positions are the layer's own, what concerns all layers stays.
 * @param positions see `LayerScores.positions`
 * @throws RangeError when a protected position is missing
 */
export function readingOfLayer(reading: Reading, positions: Uint32Array | undefined): Reading {
  if (!positions) return reading;
  const places = Array.from(reading.protectedPositions, (position) => positions.indexOf(position));
  if (places.includes(-1)) throw new RangeError("a protected position was not passed on");
  return {
    ...reading,
    before: positions.length,
    open: openPositions(positions.length, places),
    protectedPositions: Uint32Array.from(places),
  };
}

/** Of places in a layer, the positions in the document. */
export function truePositions(places: Uint32Array, positions: Uint32Array | undefined): Uint32Array {
  return positions ? places.map((place) => positions[place] as number) : places;
}

/** The `count` best of what a head holds. */
export function shrink(head: HeadHolding, count: number): HeadHolding {
  if (count === head.positions.length) return head;
  const best = selectTop(head.scores, count);
  const positions = new Uint32Array(count);
  for (let i = 0; i < count; i++) positions[i] = head.positions[best[i] as number] as number;
  return { positions, scores: pick(head.scores, best) };
}

/**
 * The best of a layer's heads, `count` of each on average. No head falls below the share `floor` (0 to 1) of that; what the
 * floors leave is shared out by how many of the best of all heads together are a head's (Ada-KV, arXiv 2407.11550,
 * Algorithm 1 and section 3.3). A floor of 1 gives every head equally many.
 */
export function shareOut(heads: readonly HeadHolding[], count: number, floor: number): HeadHolding[] {
  if (floor === 1) return heads.map((head) => shrink(head, count));
  const rows = heads.map((head) => head.scores);
  const total = count * heads.length;
  const marks = countMarks(
    rows.map((row) => [row]),
    total,
    cutOrAll(rows, total),
  );
  const floors = rows.map(() => Math.floor(floor * count));
  const budgets = apportion(
    total,
    marks,
    floors,
    rows.map((row) => row.length),
  );
  return heads.map((head, index) => shrink(head, budgets[index] as number));
}

/** A head's list as a plan wants it: its open positions and the protected ones, ascending. */
export function withProtected(reading: Reading, openPositions: Uint32Array): Uint32Array {
  const { protectedPositions } = reading;
  const merged = new Uint32Array(openPositions.length + protectedPositions.length);
  let at = 0;
  let from = 0;
  for (const kept of protectedPositions) {
    while (from < openPositions.length && (openPositions[from] as number) < kept) {
      merged[at++] = openPositions[from++] as number;
    }
    merged[at++] = kept;
  }
  merged.set(openPositions.subarray(from), at);
  return merged;
}

function pick(values: Float32Array, indices: Uint32Array): Float32Array {
  const picked = new Float32Array(indices.length);
  for (let i = 0; i < indices.length; i++) picked[i] = values[indices[i] as number] as number;
  return picked;
}

/** Added up in order. A loop, because a callback for every element takes several times as long. */
export function sumOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
