/** Reads documents whole, in one go or in parts, and answers: a summary, or the answer to a question. */
import type { SourceDocument } from "../documents/document.js";
import type { Engine, ModelInfo } from "../engine/types.js";
import { cancelled } from "../errors.js";
import { holdsAll } from "../estimate/estimate.js";
import { said } from "../said.js";
import { FinishedSteps } from "./finished.js";
import { expectedWork, groupsOf, joinWork } from "./joining.js";
import type { RunOptions } from "./options.js";
import { documentNames, resultOf, whyOf } from "./outcome.js";
import { PartsProgress } from "./progress.js";
import { keepsStyle, maxAnswerTokens, type Purpose } from "./prompt.js";
import { digest, modelIdentity } from "./read.js";
import { type PlannedChapter, planReading, type Reading, type Source, sourceOf, textOf } from "./reading.js";
import type { SummaryResult } from "./result.js";
import { retentionOf } from "./retention.js";
import { addWork, measureSpeed, noWork, type Speed, workOf } from "./speed.js";
import { pageWords } from "./split.js";
import { Steps, type SummaryContext } from "./steps.js";

export type { SummaryProgress } from "./progress.js";
export type { SummaryContext } from "./steps.js";

/**
 * Reads a document and answers: a summary, or the answer to `options.question`. It is read whole where the model's
 * context and the memory allow it, and in parts otherwise; a run that ended early goes on with the same parts.
 * @throws PrecisError too-long when not even a part and the answer fit the model's context, budget-invalid,
 *   budget-too-small, out-of-memory when not even a part fits (before anything is read), cancelled, and what the engine
 *   throws
 */
export async function summarizeDocument(
  engine: Engine,
  document: SourceDocument,
  options: RunOptions,
  context: SummaryContext,
): Promise<SummaryResult> {
  return await summarizeTogether(engine, [document], options, context);
}

/**
 * One summary across several documents: each is summarised, then what was noted of them, under their names.
 * @throws as summarizeDocument
 */
export async function summarizeTogether(
  engine: Engine,
  documents: readonly SourceDocument[],
  options: RunOptions,
  context: SummaryContext,
): Promise<SummaryResult> {
  const sources = documents.map((document) => sourceOf(engine, document));
  const finished = await FinishedSteps.open(context.steps, identityOf(engine.model, sources, options));
  // the weights count as free while they are only mapped; so does this estimate count them
  const availableBytes = context.availableBytes ?? process.availableMemory();
  const planning = { availableBytes, room: finished.room, alone: sources.length === 1, signal: context.signal };
  const readings: Reading[] = [];
  for (const source of sources) readings.push(await planReading(engine, source, options, planning));
  if (context.signal?.aborted) throw cancelled();
  const steps = new Steps(engine, options, context, readings, finished);
  steps.warnings.push(...new Set(readings.flatMap(({ warnings }) => warnings)));
  if (finished.refusal !== undefined) steps.warnings.push(finished.refusal);
  if (steps.plan.policy.keepsAll) warnIgnored(steps);
  const { notFollowed, reaim } = steps.plan;
  if (notFollowed !== undefined && (options.reaim ?? "off") !== reaim) {
    steps.warnings.push(said`The cache does not follow the answer, because ${notFollowed}.`);
  }

  const [{ source }] = readings as [Reading];
  const text = steps.parts.length === 1 ? await steps.whole(source.text) : await inParts(steps);
  if (!keepsStyle(text, options.style)) {
    steps.warnings.push(said`The answer does not have the form that was asked for: the model did not keep to it.`);
  }
  const { plan, ended, warnings, savedCache } = steps;
  const { loadMs, readMs } = context;
  const retention = retentionOf(engine, readings, ended[0]?.kv.layers.length ?? 0, steps.kept);
  const { model } = engine;
  return resultOf({ text, readings, model, plan, steps: ended, loadMs, readMs, warnings, savedCache, retention });
}

/** What a file of finished steps is of; how many threads compute changes nothing. */
function identityOf(model: ModelInfo, sources: readonly Source[], { threads: _, ...options }: RunOptions): string {
  return JSON.stringify({ model: modelIdentity(model), documents: sources.map(({ text }) => digest(text)), options });
}

/** A policy that keeps everything has no use for a smaller budget. */
function warnIgnored({ options, engine, plan, warnings }: Steps): void {
  const { promptTokens } = plan.estimate;
  if (holdsAll(options.budget, engine.model, promptTokens, plan.kvType)) return;
  warnings.push(
    said`The policy "${options.policy}" keeps the whole KV cache: the budget of ${options.budget} was not used.`,
  );
}

/** Many steps, with their progress; what is finished is forgotten once all of them are. */
async function inParts(steps: Steps): Promise<string> {
  const { readings, options, engine, finished, parts, warnings } = steps;
  const why = whyOf(readings);
  finished.begin(steps.shape.room);
  steps.progress = new PartsProgress(steps.context.onProgress, await speedOf(steps), { count: parts.length, why });
  for (const [name, work] of expectedWork(engine, readings, options)) steps.progress.expect(name, work);

  const text = readings.length > 1 ? await across(steps) : await byChapter(steps);
  warnings.push(said`Read in ${parts.length} parts, because ${why}: what links distant parts may be missing.`);
  if (steps.resumed > 0) {
    const [resumed, all] = [steps.resumed, steps.ended.length];
    warnings.push(
      said`${resumed} of ${all} steps were taken over from an earlier run that had not ended: their parts were not read again.`,
    );
  }
  if (steps.cutNotes > 0) {
    const { notes } = steps.shape;
    warnings.push(
      steps.cutNotes > 1
        ? said`What was noted of the parts was cut at ${notes} tokens ${steps.cutNotes} times.`
        : said`What was noted of the parts was cut at ${notes} tokens once.`,
    );
  }
  await finished.remove();
  return text;
}

/** What the machine does in a millisecond, from what an earlier run has done or from a trial. */
async function speedOf({ engine, options, context, finished, readings }: Steps): Promise<Speed> {
  const before = finished.all;
  if (before.length === 0) return await measureSpeed(engine, readings[0]?.source.text ?? "", options, context.signal);
  const work = before
    .map((step) => workOf(engine.model, step.promptTokens, step.tokens, options.reading))
    .reduce(addWork, noWork);
  const readMs = before.reduce((sum, { timings }) => sum + timings.prefillMs + timings.compressMs, 0);
  const writeMs = before.reduce((sum, { timings }) => sum + timings.decodeMs, 0);
  return { read: readMs / Math.max(1, work.read), write: writeMs / Math.max(1, work.write) };
}

/** One document: its one summary, or one under each chapter's title. */
async function byChapter(steps: Steps): Promise<string> {
  const [reading] = steps.readings as [Reading];
  const { chapters } = reading;
  const texts: string[] = [];
  for (const [index, chapter] of chapters.entries()) {
    const text = await summarized(steps, `0/${index}`, reading, chapter, "answer", chapters.length === 1);
    if (chapters.length === 1) return text;
    const part = `## ${chapter.title}\n\n${text}`;
    steps.context.onText?.(index === 0 ? `${part}\n` : `\n${part}\n`);
    texts.push(part);
  }
  return texts.join("\n\n");
}

/** One summary across all documents, then what was noted of each under its name: so each claim's document is named. */
async function across(steps: Steps): Promise<string> {
  const notes: string[] = [];
  for (const [index, reading] of steps.readings.entries()) {
    notes.push(await summarized(steps, `${index}/0`, reading, reading.chapters[0] as PlannedChapter, "notes"));
  }
  const names = documentNames(steps.readings.map(({ source }) => source.document.path));
  notes.forEach((text, index) => {
    if (text === "")
      steps.warnings.push(said`The model wrote nothing about ${names[index] ?? ""}: the summary lacks it.`);
  });
  const named = notes.map((text, index) => `${names[index]} says:\n${text}`);
  const text = await joined(steps, "together", named, "together", true);
  const each = notes.map((note, index) => `\n\n## ${names[index]}\n\n${note}`).join("");
  steps.context.onText?.(each);
  return text + each;
}

/** A chapter, or a whole document: what is written of its only part, or of its parts' notes. */
async function summarized(
  steps: Steps,
  name: string,
  { source }: Reading,
  { parts }: PlannedChapter,
  purpose: Purpose,
  streamed = false,
): Promise<string> {
  const [only] = parts;
  if (only && parts.length === 1) {
    return await steps.one(`${name}/0`, textOf(source, only), purpose, { part: only, streamed });
  }
  const notes: string[] = [];
  for (const [index, part] of parts.entries()) {
    const text = await steps.one(`${name}/${index}`, textOf(source, part), "notes", { part });
    if (text !== "") notes.push(text);
    else {
      const pages = pageWords(part.pages, source.document.unit);
      steps.warnings.push(said`The model wrote nothing about ${pages}: the summary lacks it.`);
    }
  }
  return notes.length === 0 ? "" : await joined(steps, name, notes, purpose, streamed);
}

/** Notes to one text, in rounds where they do not fit one prompt. */
async function joined(
  steps: Steps,
  name: string,
  notes: readonly string[],
  purpose: Purpose,
  streamed: boolean,
): Promise<string> {
  const { engine, shape, options, progress } = steps;
  const last = purpose === "notes" ? shape.notes : maxAnswerTokens[options.length];
  const sizesOf = (texts: readonly string[]) => texts.map((text) => engine.tokenize(text).length);
  let texts = notes;
  for (let round = 0; ; round++) {
    const groups = groupsOf(sizesOf(texts), shape.room);
    if (groups.length <= 1) return await steps.one(name, texts.join("\n\n"), purpose, { streamed });
    const next: string[] = [];
    for (const [index, { start, end }] of groups.entries()) {
      const text = texts.slice(start, end).join("\n\n");
      next.push(end - start === 1 ? text : await steps.one(`${name}/${round}/${index}`, text, "notes"));
    }
    texts = next;
    progress?.expect(name, joinWork(engine.model, sizesOf(texts), shape, last, options.reading));
  }
}
