/**
 * Measures a case: one reading, the full cache's answer, then every variant at every budget on copies of it. What is read
 * fast is another reading, and made for each.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { LayerRetention } from "../../core/compression/policy.js";
import { propagation } from "../../core/compression/propagation.js";
import { choose, type Recording, replay } from "../../core/engine/replay.js";
import type { DocumentSession } from "../../core/engine/session.js";
import type { Engine } from "../../core/engine/types.js";
import { PrecisError } from "../../core/errors.js";
import { parseBudget } from "../../core/estimate/estimate.js";
import { buildPrompt } from "../../core/summarize/prompt.js";
import type { Conditions, Store } from "../bench/store.js";
import type { Baseline, Benchmark, Case, Scores } from "./benchmark.js";
import { type ReadingDesk, Readings } from "./readings.js";
import { policyOf, type Variant } from "./variants.js";

/** One variant at one budget. */
export type Plan =
  | {
      /** Of the positions kept and how they are stored: what a measurement depends on, besides the reading. */
      readonly choice: string;
      /** Of the sources and settings that made the choice. While they are the same the choice need not be made again. */
      readonly made: string;
      /** Milliseconds to choose, all layers together. */
      readonly chooseMs: number;
      readonly scores: Scores;
    }
  | { readonly impossible: string };

export interface Measured {
  readonly counts: boolean;
  /**
   * Of the full cache's own answer, along which or beside which all is measured: another processor rounds differently, and
   * a greedy answer can take another turn. Cases of before 2026-12 have none.
   */
  readonly answer?: string;
  /** The full cache's own. */
  readonly full: Scores;
  /** Tokens of the prompt, and milliseconds that reading all of it took with our default's scores. */
  readonly tokens: number;
  readonly readMs: number;
  /** By `planKey`. */
  readonly plans: Readonly<Record<string, Plan>>;
}

export interface Desk extends ReadingDesk {
  readonly engine: Engine;
  /** Beside the prompt, what a case depends on. */
  readonly conditions: Conditions;
}

export const planKey = ({ id }: Variant, budget: string) => `${id} ${budget}`;

const sources = new URL("../../core/compression/", import.meta.url);
const sourceHash = readdirSync(fileURLToPath(sources))
  .sort()
  .reduce((hash, name) => hash.update(name).update(readFileSync(new URL(name, sources))), createHash("sha256"))
  .digest("hex");

const madeBy = ({ policy, settings, queries, kvType, propagation }: Variant) =>
  digest(JSON.stringify([sourceHash, policy, settings, queries, kvType, propagation]));

/** What a stored case depends on. */
export function caseConditions({ conditions, engine }: Pick<Desk, "conditions" | "engine">, one: Case): Conditions {
  const { tokens } = buildPrompt(engine, one.document, one.options);
  return { ...conditions, prompt: digest(tokens) };
}

type Measuring<C extends Case> = readonly [
  desk: Desk,
  store: Store<Measured>,
  benchmark: Benchmark<C>,
  one: C,
  variants: readonly Variant[],
  budgets: readonly string[],
];

/** The full cache answers otherwise here than where the case was measured. */
class AnotherAnswer extends Error {}

/**
 * Measures what is missing of a case, and keeps each figure at once; all of it where the full cache's answer is not what it was.
 * @throws what `desk.before` throws
 */
export async function measure<C extends Case>(...given: Measuring<C>): Promise<void> {
  const [desk, store, , one] = given;
  const stored = store.load(one.id, caseConditions(desk, one));
  if (stored && !stored.counts) return;
  try {
    await measureMissing(stored, given);
  } catch (error) {
    if (!(error instanceof AnotherAnswer)) throw error;
    await measureMissing(undefined, given);
  }
}

async function measureMissing<C extends Case>(
  stored: Measured | undefined,
  [desk, store, benchmark, one, variants, budgets]: Measuring<C>,
): Promise<void> {
  const { engine, session, before } = desk;
  const conditions = caseConditions(desk, one);
  const missing = variants.flatMap((variant) =>
    budgets
      .filter((budget) => isMissing(stored?.plans[planKey(variant, budget)], variant))
      .map((budget) => ({ variant, budget })),
  );
  if (stored && missing.length === 0) return;

  const prompt = buildPrompt(engine, one.document, one.options);
  const readings = new Readings(desk, prompt);
  const whole = await readings.rows("f16");
  const setUp = async (recording: Recording, retention: readonly LayerRetention[]) => {
    await replay(session, recording, retention);
    return session;
  };
  // what sets up is skipped where nothing new was chosen
  let baseline: Baseline | undefined;
  const fullAnswer = async () => {
    if (!baseline) {
      before("the full cache's answer");
      baseline = await benchmark.baseline(await setUp(whole, []), one);
      if (stored?.answer !== undefined && stored.answer !== digest(baseline.text)) throw new AnotherAnswer();
    }
    return baseline;
  };
  const answerTokens = async () => engine.tokenize((await fullAnswer()).text);
  const prepare = async () => {
    const [full, answer] = [await fullAnswer(), await answerTokens()];
    const run = await benchmark.prepare(await setUp(whole, []), one, answer);
    return async (other: DocumentSession) => benchmark.score(one, full, await run(other));
  };
  let scoresOf: Awaited<ReturnType<typeof prepare>> | undefined;

  let measured = stored;
  if (!measured) {
    const first = await fullAnswer();
    measured = {
      counts: benchmark.counts(one, first),
      answer: digest(first.text),
      full: benchmark.score(one, first, benchmark.full(first)),
      tokens: prompt.tokens.length,
      readMs: whole.timings.prefillMs,
      plans: {},
    };
    store.save(one.id, conditions, measured);
    if (!measured.counts) return;
  }

  const plans = { ...measured.plans };
  for (const { variant, budget } of missing) {
    const entries = entriesOf(engine, prompt.tokens.length, budget, prompt.headTokens + prompt.windowTokens, variant);
    const key = planKey(variant, budget);
    if (typeof entries === "string") {
      plans[key] = { impossible: entries };
    } else if (variant.propagation) {
      scoresOf ??= await prepare();
      before(`reading fast, ${variant.label} at ${budget}`);
      const retention: LayerRetention[] = [];
      const { timings } = await session.read(prompt, {
        policy: policyOf(variant),
        propagation: propagation(variant.propagation),
        budgetEntries: entries,
        kvType: variant.kvType,
        onKept: (positions) =>
          retention.push({ layer: retention.length, positions: positions.map((list) => list.slice()) }),
      });
      const choice = choiceOf(retention, variant);
      plans[key] = {
        choice,
        made: madeBy(variant),
        chooseMs: timings.compressMs,
        scores: await scoresOf(session),
      };
    } else {
      const observed = await readings.scores(variant, answerTokens);
      const started = performance.now();
      const retention = choose(engine.model, prompt, observed, policyOf(variant), entries);
      const chooseMs = performance.now() - started;
      const choice = choiceOf(retention, variant);
      const same = Object.values(plans).find((plan) => "choice" in plan && plan.choice === choice);
      let scores = same && "scores" in same ? same.scores : undefined;
      if (!scores) {
        scoresOf ??= await prepare();
        before(`${variant.label} at ${budget}`);
        scores = await scoresOf(await setUp(await readings.rows(variant.kvType), retention));
      }
      plans[key] = { choice, made: madeBy(variant), chooseMs, scores };
    }
    measured = { ...measured, plans };
    store.save(one.id, conditions, measured);
  }
}

function isMissing(plan: Plan | undefined, variant: Variant): boolean {
  return plan === undefined || ("made" in plan && plan.made !== madeBy(variant));
}

/** Entries per KV head over all layers, or why the budget cannot be. */
function entriesOf(engine: Engine, tokens: number, budget: string, least: number, { kvType }: Variant) {
  try {
    return parseBudget(budget, engine.model, tokens, least, kvType).entriesTotal;
  } catch (error) {
    if (error instanceof PrecisError && error.code === "budget-too-small") return error.message;
    throw error;
  }
}

function choiceOf(retention: readonly LayerRetention[], { kvType }: Variant): string {
  const hash = createHash("sha256").update(kvType);
  for (const { positions } of retention) for (const list of positions) hash.update(list).update("/");
  return hash.digest("hex").slice(0, 16);
}

function digest(data: string | Uint32Array): string {
  return createHash("sha256").update(data).digest("hex").slice(0, 16);
}
