/** What was noted of parts becomes one text, in rounds where it does not fit one prompt; and what all that takes. */
import type { Engine, ModelInfo } from "../engine/types.js";
import type { ReadingMode, RunOptions } from "./options.js";
import { maxAnswerTokens, promptOverhead } from "./prompt.js";
import { notesTokens, partsOf, type Reading } from "./reading.js";
import { addWork, noWork, type Work, workOf } from "./speed.js";
import { type Span, splitPassages } from "./split.js";

/** Tokens that separate two notes, at most. */
const between = 4;

/**
 * Which notes are joined in one prompt: neighbours, as many as fit, in groups about equally large.
 * @param sizes tokens of the notes, in order
 * @returns stretches of the list
 */
export function groupsOf(sizes: readonly number[], room: number): Span[] {
  const passages = sizes.map((size, index) => ({ start: index, end: index + 1, tokens: size + between, cut: 1 }));
  return splitPassages(passages, room).map((group) => ({ start: group[0]?.start ?? 0, end: group.at(-1)?.end ?? 0 }));
}

/** The tokens of the steps on the way to an answer. */
export interface StepShape {
  /** Of text, at most. */
  readonly room: number;
  /** Of the prompt around it. */
  readonly around: number;
  /** Of notes, at most. */
  readonly notes: number;
}

export function stepShape(engine: Engine, readings: readonly Reading[], options: RunOptions): StepShape {
  const room = readings[0]?.room ?? 0;
  const parts = readings.reduce((sum, reading) => sum + partsOf(reading).length, 0);
  return { room, around: promptOverhead(engine), notes: notesTokens(room, options, parts) };
}

/** What a run has before it, by the names of its steps. Notes are taken to be as long as they may be. */
export function expectedWork(engine: Engine, readings: readonly Reading[], options: RunOptions): Map<string, Work> {
  const { model } = engine;
  const { reading: mode } = options;
  const expected = new Map<string, Work>();
  const shape = stepShape(engine, readings, options);
  const answer = maxAnswerTokens[options.length];
  const last = readings.length > 1 ? shape.notes : answer;
  readings.forEach(({ chapters }, document) => {
    chapters.forEach(({ parts }, chapter) => {
      const name = `${document}/${chapter}`;
      const written = parts.length > 1 ? shape.notes : last;
      parts.forEach(({ tokens }, part) => {
        expected.set(`${name}/${part}`, workOf(model, tokens + shape.around, written, mode));
      });
      const sizes = parts.map(() => shape.notes);
      if (parts.length > 1) expected.set(name, joinWork(model, sizes, shape, last, mode));
    });
  });
  const sizes = readings.map(() => shape.notes);
  if (readings.length > 1) expected.set("together", joinWork(model, sizes, shape, answer, mode));
  return expected;
}

/** Joining notes of these sizes into one text of `last` tokens, in as many rounds as it takes. */
export function joinWork(
  model: ModelInfo,
  sizes: readonly number[],
  shape: StepShape,
  last: number,
  mode?: ReadingMode,
): Work {
  const sizeOf = ({ start, end }: Span) => sizes.slice(start, end).reduce((sum, size) => sum + size, 0);
  const groups = groupsOf(sizes, shape.room);
  if (groups.length <= 1) return workOf(model, shape.around + sizeOf({ start: 0, end: sizes.length }), last, mode);
  const joined = ({ start, end }: Span) => end - start > 1;
  const round = groups
    .filter(joined)
    .map((group) => workOf(model, shape.around + sizeOf(group), shape.notes, mode))
    .reduce(addWork, noWork);
  const next = groups.map((group) => (joined(group) ? shape.notes : sizeOf(group)));
  return addWork(round, joinWork(model, next, shape, last, mode));
}
