/** The steps of one run: prompts that are read and what is written behind each, in a session of its own. */
import type { CacheStore } from "../engine/cache-store.js";
import type { Engine, Following, Generation, Prompt, Sampling, Session } from "../engine/types.js";
import { said } from "../said.js";
import type { FinishedSteps, Step } from "./finished.js";
import { type StepShape, stepShape } from "./joining.js";
import type { RunOptions } from "./options.js";
import { type Plan, planRun } from "./plan.js";
import { type OnProgress, type PartsProgress, type StepProgress, stepProgress } from "./progress.js";
import { buildPrompt, maxAnswerTokens, nextOpening, type Purpose } from "./prompt.js";
import { digest, type Read, readOrResume } from "./read.js";
import { type Part, partsOf, type Reading } from "./reading.js";
import { KeptOfPart } from "./retention.js";
import { workOf } from "./speed.js";

export interface SummaryContext {
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
  /** The answer as it is written. */
  readonly onText?: (text: string) => void;
  /** What loading the model and reading the file took, for the result's timings. */
  readonly loadMs: number;
  readonly readMs: number;
  /** Where what reading left is kept for the next question about the same document; undefined: nowhere. */
  readonly caches?: CacheStore;
  /** Reads the document even where such a cache is saved, and saves the new one. */
  readonly readAgain?: boolean;
  /** Where the finished parts of a long document are kept until its summary is whole; undefined: nowhere. */
  readonly steps?: CacheStore;
  /** The folder of whole caches that go when their answer is written; undefined: without `caches`, none follows the answer. */
  readonly wholeFolder?: string;
  /** Bytes of memory that programs can still take; undefined: as the system says. */
  readonly availableBytes?: number;
}

/** What is written behind a prompt. */
interface Task {
  readonly purpose: Purpose;
  readonly maxTokens: number;
  /** The part that is read, when it is one. */
  readonly part: Part | undefined;
  readonly progress: StepProgress | undefined;
}

export class Steps {
  /** What ended, in that order. */
  readonly ended: Step[] = [];
  /** Sentences for the user. */
  readonly warnings: string[] = [];
  readonly parts: readonly Part[];
  readonly shape: StepShape;
  /** Of the largest prompt: what its budget keeps in a layer is every prompt's. */
  readonly plan: Plan;
  /** Of a run in parts. */
  progress: PartsProgress | undefined;
  /** Of a document that was not read again: what the saved cache was made for. */
  savedCache: Read["savedCache"];
  /** How many an earlier run had finished. */
  resumed = 0;
  /** How many notes were cut. */
  cutNotes = 0;
  /** What reading kept of each part (retention.ts). */
  readonly kept: (string | undefined)[];

  constructor(
    readonly engine: Engine,
    readonly options: RunOptions,
    readonly context: SummaryContext,
    readonly readings: readonly Reading[],
    readonly finished: FinishedSteps,
  ) {
    const plans = readings.map(({ plan }) => plan);
    this.plan = plans.reduce((one, other) => (other.budget.bytes > one.budget.bytes ? other : one));
    this.parts = readings.flatMap(partsOf);
    this.shape = stepShape(engine, readings, options);
    this.kept = this.parts.map(() => undefined);
  }

  /** The whole document in one go. */
  async whole(text: string): Promise<string> {
    const { engine, options, context, plan } = this;
    const [part] = this.parts;
    const maxTokens = maxAnswerTokens[options.length];
    const prompt = buildPrompt(engine, text, options);
    const progress = stepProgress(context.onProgress, maxTokens);
    const step = await this.#readAndWrite(prompt, plan, { purpose: "answer", maxTokens, part, progress }, context);
    return this.#end(step, "answer", part);
  }

  /**
   * One text of many, unless an earlier run has done it.
   * @param name of its work, for the progress
   * @param part the part that is read, when it is one
   * @param streamed whether what is written is passed on as the answer
   */
  async one(
    name: string,
    text: string,
    purpose: Purpose,
    { part, streamed = false }: { readonly part?: Part; readonly streamed?: boolean } = {},
  ): Promise<string> {
    const { engine, options, context, finished, progress, shape, parts } = this;
    const { budget, policy, kvType } = this.plan;
    const prompt = buildPrompt(engine, text, options, purpose);
    const maxTokens = purpose === "notes" ? shape.notes : maxAnswerTokens[options.length];
    const same = { ...options, kvType, budget: policy.keepsAll ? options.budget : `${budget.tokensPerLayer}` };
    const plan = planRun(engine.model, { ...prompt, tokens: prompt.tokens.length }, maxTokens, same);
    const key = keyOf(prompt, plan, maxTokens, samplingOf(options));
    const onText = streamed ? context.onText : undefined;
    const before = finished.find(key);
    if (before) {
      this.resumed += 1;
      onText?.(before.text);
      progress?.finished(name, workOf(engine.model, before.promptTokens, before.tokens, options.reading));
      return this.#end(before, purpose, part);
    }
    const number = part ? 1 + parts.indexOf(part) : parts.length;
    const task = { purpose, maxTokens, part, progress: progress?.step(name, number, streamed) };
    const step = await this.#readAndWrite(prompt, plan, task, { onText });
    await this.#keep(key, step);
    const { prefillMs, compressMs, decodeMs } = step.timings;
    const took = { readMs: prefillMs + compressMs, writeMs: decodeMs };
    progress?.finished(name, workOf(engine.model, step.promptTokens, step.tokens, options.reading), took);
    return this.#end(step, purpose, part);
  }

  #end(step: Step, purpose: Purpose, part: Part | undefined): string {
    this.ended.push(step);
    if (part) this.kept[this.parts.indexOf(part)] = step.kept;
    if (step.cut && purpose === "notes") this.cutNotes += 1;
    else if (step.cut) this.warnings.push(said`The answer was cut at ${step.tokens} tokens.`);
    return step.text.trim();
  }

  /** A finished step that cannot be saved costs no more than reading it again, should the run end early. */
  async #keep(key: string, step: Step): Promise<void> {
    try {
      await this.finished.add(key, step);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const warning = said`Finished parts could not be saved (${reason}): a run that ends early begins anew.`;
      if (!this.warnings.includes(warning)) this.warnings.push(warning);
    }
  }

  async #readAndWrite(
    prompt: Prompt,
    plan: Plan,
    { purpose, maxTokens, part, progress }: Task,
    { onText, caches, readAgain }: Pick<SummaryContext, "onText" | "caches" | "readAgain">,
  ): Promise<Step> {
    const { engine, warnings } = this;
    const { signal } = this.context;
    const { threads } = this.options;
    const total = this.parts.reduce((sum, { tokens }) => sum + tokens, 0);
    const kept = part && new KeptOfPart(prompt, part, total);
    const session = await engine.createSession();
    try {
      const onProgress = progress && ((read: Parameters<StepProgress["reading"]>[0]) => progress.reading(read));
      const { wholeFolder } = this.context;
      const hooks = { signal, caches, wholeFolder, readAgain, threads, onKept: kept?.add, warnings, onProgress };
      const read = await readOrResume(session, prompt, plan, maxTokens, engine.model, hooks);
      const { kv, timings } = read;
      this.savedCache = read.savedCache;
      const generation = await this.#write(session, purpose, maxTokens, followingOf(plan), (text) => {
        onText?.(text);
        progress?.wrote();
      });
      return {
        text: generation.text,
        tokens: generation.tokens,
        cut: generation.stopped === "max-tokens",
        promptTokens: prompt.tokens.length,
        ...(kept?.shares === undefined ? {} : { kept: kept.shares }),
        kv: { ...kv, peakBytes: generation.peakKvBytes, layers: kv.layers.map((layer) => ({ ...layer })) },
        timings: { ...timings, firstTokenMs: generation.firstTokenMs, decodeMs: generation.decodeMs },
      };
    } finally {
      await session.dispose();
    }
  }

  /** What the model writes behind what was read, with the pieces of the style's form that are written for it. */
  async #write(
    session: Session,
    purpose: Purpose,
    maxTokens: number,
    follow: Following | undefined,
    onText: (text: string) => void,
  ): Promise<Generation> {
    const { engine, options } = this;
    const { signal } = this.context;
    const sampling = samplingOf(options);
    let whole: Generation | undefined;
    for (let led = 0; ; led++) {
      const opening = nextOpening(options, purpose, whole?.text ?? "", led);
      if (whole && opening === undefined) return whole;
      const begin = engine.tokenize(opening ?? "");
      const before = begin.length + (whole?.tokens ?? 0);
      if (whole && before >= maxTokens) return { ...whole, stopped: "max-tokens" };
      if (opening !== undefined) onText(opening);
      const next = await session.generate({ begin, sampling, maxTokens: maxTokens - before, follow, signal, onText });
      if (next.wholeLost !== undefined) {
        this.warnings.push(
          said`The cache followed the answer only in part (${next.wholeLost}): the rest was written on what was kept.`,
        );
      }
      whole = {
        ...next,
        text: (whole?.text ?? "") + (opening ?? "") + next.text,
        tokens: before + next.tokens,
        firstTokenMs: whole?.firstTokenMs ?? next.firstTokenMs,
        decodeMs: (whole?.decodeMs ?? 0) + next.decodeMs,
      };
      // what is cut or has nothing more to say is not led on
      if (next.tokens === 0 || next.stopped === "max-tokens") return whole;
    }
  }
}

function followingOf({ policy, budget, reaim }: Plan): Following | undefined {
  if (reaim === "off") return undefined;
  return { policy: policy.aimed ?? policy, budgetEntries: budget.entriesTotal, mode: reaim };
}

/** Everything that decides what a step writes, but the model. */
function keyOf(
  prompt: Prompt,
  { policy, budget, kvType, propagation, reaim }: Plan,
  maxTokens: number,
  sampling: Sampling,
): string {
  const { headTokens, windowTokens, tokens } = prompt;
  const read = { prompt: digest(tokens), headTokens, windowTokens };
  const kept = { policy: policy.name, entries: budget.entriesTotal, kvType, propagation: propagation?.name, reaim };
  return digest(JSON.stringify({ read, kept, maxTokens, sampling }));
}

function samplingOf(options: RunOptions): Sampling {
  return {
    temperature: options.temperature,
    topK: 40,
    topP: 0.95,
    minP: 0.05,
    // Small models fall into loops in a summary. An answer to a question must be free to repeat itself, though: the
    // penalty would forbid the second 4 of a number like 44210.
    repeatPenalty: options.question === undefined ? 1.1 : 1,
    seed: options.seed,
  };
}
