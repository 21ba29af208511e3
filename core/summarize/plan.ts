/** What a run will do and take, before it runs: for the summary itself, the CLI's estimate and the window's slider. */
import type { Policy } from "../compression/policy.js";
import { propagation as fastPropagation, type Propagation } from "../compression/propagation.js";
import { createPolicy, defaultPolicy } from "../compression/registry.js";
import type { HiddenType, KvType } from "../engine/kv.js";
import { type PromptLengths, readingShape } from "../engine/shape.js";
import { PrecisError } from "../errors.js";
import {
  type Budget,
  defaultGroupLayers,
  defaultHiddenType,
  type Estimate,
  estimate,
  holdsAll,
  type MemoryShape,
  parseBudget,
} from "../estimate/estimate.js";
import { formatBytes } from "../format.js";
import { said } from "../said.js";
import type { ReadingMode, Reaim, RunOptions } from "./options.js";

export interface Plan {
  readonly policy: Policy;
  readonly budget: Budget;
  readonly kvType: KvType;
  readonly groupLayers: number;
  readonly hiddenType: HiddenType;
  /** What goes on to later layers; undefined: everything. */
  readonly propagation: Propagation | undefined;
  /** Off where the cache cannot follow. */
  readonly reaim: Reaim;
  /** Why it cannot, as the end of a sentence that begins "because". */
  readonly notFollowed: string | undefined;
  readonly estimate: Estimate;
}

export type PlanOptions = Pick<RunOptions, "budget" | "policy" | "kvType" | "groupLayers" | "reaim" | "reading">;

/** Whether the cache follows the answer when nobody says (docs/eval/follow.md). */
export const defaultReaim: Reaim = "checked";

/**
 * How kept entries are stored when nobody says. Where they answer alone, as q8_0: the same memory holds 1.9 times as many,
 * which brings an answer nearer to the full cache's than any other policy does (docs/eval/policies.md). Where the whole
 * cache checks the answer they only draft it, and f16 is the quickest.
 * @param all nothing is left out: then nothing is rounded either
 */
export const defaultKvType = (all: boolean, reaim: Reaim): KvType => (all || reaim === "checked" ? "f16" : "q8_0");

function whyNotFollowed(policy: Policy, model: MemoryShape, fast: boolean): string | undefined {
  const { reduction, needs = [] } = policy.aimed ?? policy;
  if (policy.keepsAll) return said`everything is kept`;
  if (fast) return said`what is read fast has no whole cache`;
  if (model.gpuLayers > 0) return said`layers lie on the GPU`;
  if (reduction === undefined || needs.length > 0)
    return said`the policy "${policy.name}" does not choose by attention alone`;
  return undefined;
}

export const propagationOf = (mode: ReadingMode | undefined): Propagation | undefined =>
  mode === "fast" ? fastPropagation() : undefined;

/**
 * @param answerTokens the most that will be written
 * @throws PrecisError budget-invalid, budget-too-small
 */
export function planRun(model: MemoryShape, prompt: PromptLengths, answerTokens: number, options: PlanOptions): Plan {
  const propagation = propagationOf(options.reading);
  // a cut can only come at the end of a group
  const groupLayers = options.groupLayers ?? (propagation ? 1 : defaultGroupLayers(model, prompt.tokens));
  const policy = createPolicy(options.policy);
  const notFollowed = whyNotFollowed(policy, model, propagation !== undefined);
  const reaim = notFollowed === undefined ? (options.reaim ?? defaultReaim) : "off";
  const whole = reaim !== "off";
  const hiddenType = defaultHiddenType(model, prompt.tokens, whole);
  const all = policy.keepsAll || holdsAll(options.budget, model, prompt.tokens, "f16");
  const kvType = options.kvType ?? defaultKvType(all, reaim);
  const least = policy.keepsAll ? 0 : prompt.headTokens + prompt.windowTokens;
  const asked = parseBudget(options.budget, model, prompt.tokens, least, kvType);
  const full = parseBudget(`${prompt.tokens}`, model, prompt.tokens, 0, kvType);
  const budget = policy.keepsAll ? { ...full, requested: options.budget } : asked;
  const shape = readingShape(model, prompt, budget.entriesTotal);
  return {
    policy,
    budget,
    kvType,
    groupLayers,
    hiddenType,
    propagation,
    reaim,
    notFollowed,
    estimate: estimate(model, {
      promptTokens: prompt.tokens,
      answerTokens,
      keepsAll: policy.keepsAll,
      retainedEntries: budget.entriesTotal,
      heldEntries: policy.heldEntries(shape),
      layerTokens: propagation?.mostTokens(shape),
      kvType,
      groupLayers,
      hiddenType,
      whole,
      needs: policy.needs,
    }),
  };
}

/**
 * The largest share of the full cache, in tenths of a percent, whose run fits; undefined when none does.
 * @param availableBytes memory that programs can still take
 */
export function largestShare(
  model: MemoryShape,
  prompt: PromptLengths,
  answerTokens: number,
  options: PlanOptions,
  availableBytes: number,
): number | undefined {
  const fits = (tenths: number) => {
    try {
      const plan = planRun(model, prompt, answerTokens, { ...options, budget: `${tenths / 10}%` });
      return plan.estimate.devices.memory <= availableBytes;
    } catch (error) {
      // too small to hold the instruction: what fits lies above it, if anywhere
      if (error instanceof PrecisError && error.code === "budget-too-small") return true;
      throw error;
    }
  };
  const tenths = largestThatFits(1000, fits);
  if (tenths === 0) return undefined;
  try {
    planRun(model, prompt, answerTokens, { ...options, budget: `${tenths / 10}%` });
    return tenths / 10;
  } catch {
    return undefined;
  }
}

/**
 * The plan of a run that fits.
 * @throws what planRun throws, and PrecisError out-of-memory when it cannot fit, with the budget that would
 */
export function planWithin(
  model: MemoryShape,
  prompt: PromptLengths,
  answerTokens: number,
  options: PlanOptions,
  availableBytes: number,
): Plan {
  const plan = planRun(model, prompt, answerTokens, options);
  const needed = plan.estimate.devices.memory;
  if (needed <= availableBytes) return plan;
  const fitting = largestBudget(model, prompt, answerTokens, options, availableBytes);
  throw new PrecisError(
    "out-of-memory",
    said`This run takes about ${formatBytes(needed)} at its peak, and ${formatBytes(availableBytes)} is free.`,
    fitting === undefined
      ? said`No budget makes it fit: close other programs, or choose a smaller model or a shorter document.`
      : said`A budget of ${fitting} would fit; or close other programs.`,
  );
}

/**
 * The largest budget that fits, in words: "6.9%", or "6.9% with the policy dynamickv" where the policy asked for keeps
 * everything whatever the budget. Undefined when none does.
 */
export function largestBudget(
  model: MemoryShape,
  prompt: PromptLengths,
  answerTokens: number,
  options: PlanOptions,
  availableBytes: number,
): string | undefined {
  const policy = createPolicy(options.policy).keepsAll ? defaultPolicy : options.policy;
  const share = largestShare(model, prompt, answerTokens, { ...options, policy }, availableBytes);
  if (share === undefined) return undefined;
  const words = `${share}%`;
  return policy === options.policy ? words : said`${words} with the policy ${policy}`;
}

/** The largest whole number from 0 to `most` that fits, where all smaller ones do. */
export function largestThatFits(most: number, fits: (value: number) => boolean): number {
  let [low, high] = [0, most];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
