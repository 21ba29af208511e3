/** How a document will be read, before it is: whole where model and memory allow it, in parts otherwise. */
import { setImmediate } from "node:timers/promises";
import type { SourceDocument } from "../documents/document.js";
import { type DocumentText, documentText } from "../documents/document-text.js";
import type { PromptLengths } from "../engine/shape.js";
import type { Engine } from "../engine/types.js";
import { cancelled, PrecisError } from "../errors.js";
import { formatBytes } from "../format.js";
import { said } from "../said.js";
import { leastPartTokens, type RunOptions } from "./options.js";
import { largestBudget, largestThatFits, type Plan, planRun, planWithin } from "./plan.js";
import { buildPrompt, maxAnswerTokens, type PromptOptions, type Purpose } from "./prompt.js";
import {
  chaptersOf,
  contextStart,
  type Heading,
  headingsOf,
  type PageRange,
  type Passage,
  pagesOf,
  pageWords,
  passagesOf,
  type Span,
  splitPassages,
} from "./split.js";

/** A document with its text. */
export interface Source extends DocumentText {
  readonly document: SourceDocument;
  /** Of `text`, in the model's vocabulary. */
  readonly tokens: number;
}

/** A stretch of a document's text that is read in one go. */
export interface Part extends Span {
  /** Where what is read before it, as context, begins; `start` when nothing is. */
  readonly from: number;
  /** Of the part alone. */
  readonly tokens: number;
  readonly pages: PageRange;
  /** The heading that it stands under, where there is one. */
  readonly title?: string;
}

export interface PlannedChapter {
  /** Undefined when the document is not summarised by chapters. */
  readonly title?: string;
  readonly parts: readonly Part[];
}

export interface Reading {
  readonly source: Source;
  readonly chapters: readonly PlannedChapter[];
  /** Of the largest prompt: its budget in tokens per layer is every part's. */
  readonly plan: Plan;
  /** The most tokens of text, context included, that are read in one go: the same for all documents of a run. */
  readonly room: number;
  /** Why there are several parts, as the end of a sentence that begins "because"; undefined when there is one. */
  readonly why?: string;
  readonly warnings: readonly string[];
}

/**
 * Tokens of the text before a part that are read with it, so that a pronoun or a term at its beginning has what it
 * refers to: about five sentences, and less than two percent of a full part of the default model. They gain 72 % of what
 * 512 tokens do, 64 gain 59 % and 256 gain 84 % (`npx tsx test/summarize/context.ts`).
 */
const contextTokens = 128;

/** Of the room, at most: the parts of a small window are not mostly context. */
const mostContext = 1 / 8;

/** Notes on a part: tokens at most. */
const noteTokens = 200;

/** Tokens that tokenising a text in one piece may add to what its paragraphs take one by one. */
const seam = 16;

export function sourceOf(engine: Engine, document: SourceDocument): Source {
  const joined = documentText(document);
  return { document, ...joined, tokens: engine.tokenize(joined.text).length };
}

export const partsOf = ({ chapters }: Reading): readonly Part[] => chapters.flatMap(({ parts }) => parts);

/** The text of a part's prompt: its context and itself. */
export const textOf = ({ text }: Source, { from, end }: Part): string => text.slice(from, end);

/** Tokens that notes on one part of several may take: few enough that four fit where one part did. */
export function notesTokens(room: number, options: Pick<RunOptions, "length">, parts: number): number {
  const wanted = Math.max(noteTokens, Math.ceil(maxAnswerTokens[options.length] / parts));
  return Math.max(32, Math.min(wanted, Math.floor(room / 5)));
}

export interface PlanningOptions {
  /** Memory that programs can still take. */
  readonly availableBytes: number;
  /** Of an earlier run that is resumed: taken again where it still fits, so that the parts are the same. */
  readonly room?: number | undefined;
  /** Whether the answer is of this document alone; one of several is only noted. */
  readonly alone: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * @throws PrecisError too-long when the model's context has no room for a part, out-of-memory when the memory has none,
 *   budget-invalid, budget-too-small, cancelled
 */
export async function planReading(
  engine: Engine,
  source: Source,
  options: RunOptions,
  planning: PlanningOptions,
): Promise<Reading> {
  const { availableBytes, room: earlier, alone } = planning;
  const limits = limitsOf(engine, options, planning);
  const count = (text: string) => engine.tokenize(text).length;
  const headings = headingsOf(source.document, source);
  const chapters = options.style === "chapters" ? chaptersOf(source.text, headings, count) : [];
  const warnings =
    options.style === "chapters" && chapters.length === 0
      ? [said`The document's outline and headings name no chapters: it is summarised part by part.`]
      : [];

  const asked = earlier ?? options.partTokens ?? engine.model.contextLength;
  if (source.tokens <= asked && chapters.length < 2) {
    const plan = planWhole(engine, source, options, availableBytes);
    const { room } = limits;
    // notes on one of several documents may be longer than an answer, and are joined: that takes room, too
    if (plan && (alone || (source.tokens <= room && room >= leastPartTokens))) {
      const span = { from: 0, start: 0, end: source.text.length, tokens: source.tokens };
      const parts = [{ ...span, pages: pagesOf(source.pages, span) }];
      return { source, chapters: [titled(parts, chapters[0]?.title)], plan, room, warnings };
    }
  }
  refuseWithoutRoom(engine, options, limits, availableBytes);

  // a chapter that is summarised by itself needs nothing of the one before
  const stretches = chapters.length > 1 ? chapters : [{ start: 0, end: source.text.length }];
  const { planned, largest } = await cutToFit(engine, source, options, stretches, headings, limits, planning.signal);
  const [{ parts }] = planned as [PlannedChapter];
  const alike = options.style === "chapters" && chapters.length === 0 && parts.length > 1;
  const { unit } = source.document;
  return {
    source,
    chapters: alike ? parts.map((part) => titled([part], pageWords(part.pages, unit))) : planned,
    plan: planRun(engine.model, largest, limits.written, options),
    room: limits.room,
    warnings,
    why: whyInParts(engine, source, options, limits, availableBytes),
  };
}

/** How much text can be read in one go, in tokens. */
interface Limits {
  /** Around the text, at the step where it is most. */
  readonly around: PromptLengths;
  /** Behind it, at most: the answer, or notes on a part. */
  readonly written: number;
  /** What the model's context allows, or the user. */
  readonly context: number;
  /** What memory allows of that. */
  readonly memory: number;
  /** What is made use of. */
  readonly room: number;
}

function limitsOf(engine: Engine, options: RunOptions, { availableBytes, room: earlier }: PlanningOptions): Limits {
  const { model } = engine;
  const written = Math.max(maxAnswerTokens[options.length], noteTokens);
  const around = longestAround(engine, options);
  const free = model.contextLength - around.tokens - written - seam;
  const context = Math.max(0, Math.min(options.partTokens ?? free, free));
  const memory = largestThatFits(
    context,
    (tokens) => memoryOf(model, withText(around, tokens), written, options) <= availableBytes,
  );
  return { around, written, context, memory, room: earlier !== undefined && earlier <= memory ? earlier : memory };
}

/** The plan of reading a document in one go; undefined when it does not fit. */
function planWhole(engine: Engine, source: Source, options: RunOptions, availableBytes: number): Plan | undefined {
  const lengths = promptLengths(engine, source.text, options);
  const answerTokens = maxAnswerTokens[options.length];
  if (lengths.tokens + answerTokens > engine.model.contextLength) return undefined;
  const plan = planRun(engine.model, lengths, answerTokens, options);
  return plan.estimate.devices.memory <= availableBytes ? plan : undefined;
}

function refuseWithoutRoom(engine: Engine, options: RunOptions, limits: Limits, availableBytes: number): void {
  const { around, written, context, memory } = limits;
  if (context < leastPartTokens) {
    throw new PrecisError(
      "too-long",
      said`The model reads at most ${inWords(engine.model.contextLength)} tokens at a time, and the instruction and the answer alone take ${inWords(around.tokens + written)}.`,
      said`Choose a model with a longer context, or a shorter answer.`,
    );
  }
  // says what does not fit, and which budget would
  const least = withText(around, leastPartTokens);
  if (memory < leastPartTokens) planWithin(engine.model, least, written, options, availableBytes);
}

/** Parts that fit, and the longest prompt among them. Thousands of pages take seconds: a cancel is heard between. */
async function cutToFit(
  engine: Engine,
  source: Source,
  options: RunOptions,
  stretches: readonly (Span & { readonly title?: string })[],
  headings: readonly Heading[],
  { room, around }: Limits,
  signal: AbortSignal | undefined,
): Promise<{ planned: PlannedChapter[]; largest: PromptLengths }> {
  const count = (text: string) => engine.tokenize(text).length;
  const pause = pauses(signal);
  for (let most = room; ; most = Math.floor(most * 0.97)) {
    const context = Math.min(contextTokens, Math.floor(most * mostContext));
    const planned: PlannedChapter[] = [];
    let largest = around;
    for (const stretch of stretches) {
      const passages: Passage[] = [];
      for (const passage of passagesOf(source, headings, stretch, most - context - seam, count)) {
        passages.push(passage);
        await pause();
      }
      const parts: Part[] = [];
      for (const held of splitPassages(passages, most - context - seam)) {
        const span = { start: held[0]?.start ?? 0, end: held.at(-1)?.end ?? 0 };
        const title = headings.findLast(({ start }) => start <= span.start)?.title;
        const part = {
          ...span,
          from: span.start === stretch.start ? span.start : contextStart(source.text, span.start, context, count),
          tokens: held.reduce((sum, { tokens }) => sum + tokens, 0),
          pages: pagesOf(source.pages, span),
          ...(title === undefined ? {} : { title }),
        };
        const lengths = promptLengths(engine, textOf(source, part), options);
        if (lengths.tokens > largest.tokens) largest = lengths;
        parts.push(part);
        await pause();
      }
      planned.push(titled(parts, stretch.title));
    }
    // paragraphs in one piece may take a few tokens more than one by one
    if (largest.tokens <= withText(around, room).tokens || most < leastPartTokens / 2) return { planned, largest };
  }
}

/** Milliseconds that a plan is worked out without hearing a cancel. */
const unheard = 50;

/** @returns lets other events in when it is time for them. @throws PrecisError cancelled */
function pauses(signal: AbortSignal | undefined): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < unheard) return;
    await setImmediate();
    if (signal?.aborted) throw cancelled();
    last = performance.now();
  };
}

function whyInParts(
  engine: Engine,
  { tokens }: Source,
  options: RunOptions,
  { around, context, memory }: Limits,
  availableBytes: number,
): string {
  const { model } = engine;
  if (tokens > memory && memory < context) {
    const whole = withText(around, tokens);
    const answerTokens = maxAnswerTokens[options.length];
    const needed = memoryOf(model, whole, answerTokens, options);
    const inContext = whole.tokens + answerTokens <= model.contextLength;
    const budget = inContext ? largestBudget(model, whole, answerTokens, options, availableBytes) : undefined;
    const [takes, free] = [formatBytes(needed), formatBytes(availableBytes)];
    return budget === undefined
      ? said`reading it whole takes about ${takes} and ${free} is free`
      : said`reading it whole takes about ${takes} and ${free} is free; with a budget of ${budget} it would be read whole`;
  }
  if (tokens > context && context === options.partTokens) {
    return said`parts of at most ${inWords(context)} tokens were asked for`;
  }
  if (tokens > context) {
    return said`it takes ${inWords(tokens)} tokens and the model reads at most ${inWords(model.contextLength)} at a time, instruction and answer included`;
  }
  return said`each chapter is summarised by itself`;
}

function titled(parts: readonly Part[], title?: string): PlannedChapter {
  return title === undefined ? { parts } : { title, parts };
}

function withText(around: PromptLengths, tokens: number): PromptLengths {
  return { ...around, tokens: around.tokens + tokens };
}

/** The longest that stands around a text at any step of the run. */
function longestAround(engine: Engine, options: PromptOptions): PromptLengths {
  const all = (["answer", "notes", "together"] as const).map((purpose) => promptLengths(engine, "", options, purpose));
  return all.reduce((longest, one) => (one.tokens > longest.tokens ? one : longest));
}

function promptLengths(engine: Engine, text: string, options: PromptOptions, purpose?: Purpose): PromptLengths {
  const prompt = buildPrompt(engine, text, options, purpose);
  return { headTokens: prompt.headTokens, windowTokens: prompt.windowTokens, tokens: prompt.tokens.length };
}

/** Bytes at the peak of a run; 0 for a prompt so short that the budget does not hold its instruction. */
function memoryOf(model: Engine["model"], lengths: PromptLengths, answerTokens: number, options: RunOptions): number {
  try {
    return planRun(model, lengths, answerTokens, options).estimate.devices.memory;
  } catch (error) {
    if (error instanceof PrecisError && error.code === "budget-too-small") return 0;
    throw error;
  }
}

const inWords = (tokens: number) => tokens.toLocaleString("en-US");
