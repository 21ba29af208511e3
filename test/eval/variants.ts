/** What is compared: policies as they are published and ours, the oracle, how kept entries are stored, our ingredients. */
import type { GroupReduction, Policy } from "../../core/compression/policy.js";
import type { PropagationSettings } from "../../core/compression/propagation.js";
import {
  createPolicy,
  defaultPolicy,
  type PolicyName,
  type PolicySettings,
  policyNames,
} from "../../core/compression/registry.js";
import type { KvType } from "../../core/engine/kv.js";
import { defaultKvType } from "../../core/summarize/plan.js";

export interface Variant {
  /** Letters, digits, '.', '-', '_'. */
  readonly id: string;
  readonly label: string;
  readonly policy: PolicyName;
  readonly settings: PolicySettings;
  /** Whose attention is scored: the instruction's, or that of the full cache's own answer, which nobody has beforehand. */
  readonly queries: "window" | "answer";
  readonly kvType: KvType;
  /** Read fast, with these settings; undefined: thoroughly. */
  readonly propagation?: Partial<PropagationSettings> | undefined;
}

function variant(id: string, policy: PolicyName, change: Partial<Variant> = {}): Variant {
  return { id, label: id, policy, settings: {}, queries: "window", kvType: "f16", ...change };
}

const stored = (kvType: KvType): Variant =>
  variant(kvType === "f16" ? defaultPolicy : kvType, defaultPolicy, {
    label: `${defaultPolicy}, stored in ${kvType}`,
    kvType,
  });

/** Our default, as what answers alone is stored: all others are compared with it. */
export const ours = stored(defaultKvType(false, "off"));

/** The ablation, and what is read fast, keep f16: what a choice is worth shows the same in every type. */
const exact = stored("f16");

/** Our default's choice, the default first, in each type. */
export const storedVariants: readonly Variant[] = [ours, stored("q4_0"), exact];

const none = { pooling: { kind: "none", kernel: 1 } } as const;

/** Ours first, then the others as published; what cannot be had (the oracle) and what changes the bytes come last. */
export const policyVariants: readonly Variant[] = [
  ...storedVariants,
  ...policyNames.filter((name) => name !== "full" && name !== ours.policy).map((name) => variant(name, name)),
  variant("oracle-even", "snapkv", {
    label: "oracle, even layers",
    queries: "answer",
    settings: { ...none, reduction: "max" },
  }),
  variant("oracle-dynamic", "dynamickv", {
    label: "oracle, dynamic layers",
    queries: "answer",
    // with the true queries single positions count, and a layer's share is what it deserves
    settings: { ...none, floor: 0.2, valueNorms: false },
  }),
];

const ablated = (id: string, label: string, settings: PolicySettings) => variant(id, "dynamickv", { label, settings });
const average = (kernel: number, own: number): PolicySettings => ({ pooling: { kind: "average", kernel, own } });

/** Our default with one setting changed at a time. */
export const ablationVariants: readonly Variant[] = [
  exact,
  ablated("pooling-none", "no pooling", none),
  ...[7, 15].map((kernel) => ablated(`average-${kernel}`, `average over ${kernel}`, average(kernel, 0.5))),
  ...[0, 0.2, 1].map((own) =>
    ablated(`own-${own}`, own === 0 ? "nothing of its own" : `${own} of its own`, average(31, own)),
  ),
  ablated("value-norms-no", "not weighted by the values' lengths", { valueNorms: false }),
  ...[0, 3].map((expected) =>
    ablated(`expected-${expected}`, expected === 0 ? "nothing expected" : `expected counts ${expected}`, { expected }),
  ),
  ablated("marks", "layers share by marks, floor 0.5", { shares: "marks", floor: 0.5 }),
  ablated("even-layers", "the same for every layer", { maxRatio: 1 }),
  ablated("ratio-2", "a layer at most twice the mean", { maxRatio: 2 }),
  ablated("floor-0.3", "floor 0.3", { floor: 0.3 }),
  ablated("group-mean", "mean over a KV head's queries", { reduction: "mean" }),
  ablated("heads-0.5", "budgets per head, floor 0.5", { headFloor: 0.5 }),
  ablated("before", "as before: by marks, floor 0.5, nothing expected", { shares: "marks", floor: 0.5, expected: 0 }),
];

const cut = (earliest: number, latest: number, share: number) => ({ earliest, latest, least: share, most: share });
const fast = (id: string, label: string, change: Partial<PropagationSettings>) =>
  variant(`fast-${id}`, ours.policy, { label: `read fast, ${label}`, propagation: change });

/** Our default read thoroughly and fast, and what else may be passed on. */
export const fastVariants: readonly Variant[] = [
  exact,
  variant("fast", ours.policy, { label: "read fast", propagation: {} }),
  ...[0.1, 0.2, 0.4].map((share) =>
    fast(`${100 * share}`, `${100 * share} % go on`, { cuts: [cut(1 / 5, 1 / 3, share)] }),
  ),
  fast("late", "10 % go on from the middle", { cuts: [cut(0.45, 0.53, 0.1)] }),
  fast("twice", "30 % go on, and 10 % from the middle", { cuts: [cut(1 / 5, 1 / 3, 0.3), cut(0.45, 0.53, 0.1)] }),
  fast("average-15", "average over 15", { pooling: { kind: "average", kernel: 15 } }),
];

export const policyOf = ({ policy, settings }: Variant): Policy => createPolicy(policy, settings);

/** The reduction of the reading that a policy is shown: one that reads no scores can be shown any. */
export const readingOf = ({ reduction }: Policy): GroupReduction =>
  reduction ?? (policyOf(ours).reduction as GroupReduction);

/**
 * A policy that asks for all that any variant asks for with this reduction, so that one reading serves all of them. What
 * else is observed changes no score.
 */
export function readerOf(reduction: GroupReduction): Policy {
  const all = [...policyVariants, ...ablationVariants]
    .map(policyOf)
    .filter((policy) => readingOf(policy) === reduction);
  const needs = [...new Set(all.flatMap((policy) => policy.needs ?? []))].sort();
  return { ...policyOf(ours), name: "reader", reduction, needs };
}
