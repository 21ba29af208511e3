/** What is compared: policies as they are published and ours, the oracle, how kept entries are stored, our ingredients. */
import type { Policy } from "../../core/compression/policy.js";
import {
  createPolicy,
  defaultPolicy,
  type PolicyName,
  type PolicySettings,
  policyNames,
} from "../../core/compression/registry.js";
import type { KvType } from "../../core/engine/kv.js";

export interface Variant {
  /** Letters, digits, '.', '-', '_'. */
  readonly id: string;
  readonly label: string;
  readonly policy: PolicyName;
  readonly settings: PolicySettings;
  /** Whose attention is scored: the instruction's, or that of the full cache's own answer, which nobody has beforehand. */
  readonly queries: "window" | "answer";
  readonly kvType: KvType;
}

function variant(id: string, policy: PolicyName, change: Partial<Variant> = {}): Variant {
  return { id, label: id, policy, settings: {}, queries: "window", kvType: "f16", ...change };
}

/** All others are compared with it. */
export const ours = variant(defaultPolicy, defaultPolicy);

const none = { pooling: { kind: "none", kernel: 1 } } as const;

/** Ours first, then the others as published; what cannot be had (the oracle) and what changes the bytes come last. */
export const policyVariants: readonly Variant[] = [
  ours,
  ...policyNames.filter((name) => name !== "full" && name !== ours.policy).map((name) => variant(name, name)),
  variant("oracle-even", "snapkv", {
    label: "oracle, even layers",
    queries: "answer",
    settings: { ...none, reduction: "max" },
  }),
  variant("oracle-dynamic", "dynamickv", { label: "oracle, dynamic layers", queries: "answer", settings: none }),
  variant("q8_0", ours.policy, { label: `${ours.id}, stored in q8_0`, kvType: "q8_0" }),
  variant("q4_0", ours.policy, { label: `${ours.id}, stored in q4_0`, kvType: "q4_0" }),
];

const ablated = (id: string, label: string, settings: PolicySettings) => variant(id, "dynamickv", { label, settings });
const average = (kernel: number): PolicySettings => ({ pooling: { kind: "average", kernel } });
const max = (kernel: number): PolicySettings => ({ pooling: { kind: "max", kernel } });

/** Our default with one setting changed at a time. */
export const ablationVariants: readonly Variant[] = [
  ours,
  ablated("pooling-none", "no pooling", none),
  ...[3, 5, 7, 15, 31].map((kernel) => ablated(`average-${kernel}`, `average over ${kernel}`, average(kernel))),
  ...[3, 7, 15].map((kernel) => ablated(`max-${kernel}`, `maximum over ${kernel}`, max(kernel))),
  ablated("even-layers", "the same for every layer", { maxRatio: 1 }),
  ablated("ratio-2", "a layer at most twice the mean", { maxRatio: 2 }),
  ...[0, 0.5].map((floor) => ablated(`floor-${floor}`, `floor ${floor}`, { floor })),
  ablated("groups-of-4", "cut after every 4 layers", { groupLayers: 4 }),
  ablated("group-mean", "mean over a KV head's queries", { reduction: "mean" }),
];

export const policyOf = ({ policy, settings }: Variant): Policy => createPolicy(policy, settings);

/** Names what a policy asks native code for. Policies that ask for the same are shown the same recorded reading. */
export function asks(policy: Policy): string {
  const { name: _, keepsAll: __, ...rest } = policy;
  // functions are left out; one that reads no scores can be shown anyone's
  const asked = JSON.stringify(rest);
  return asked === "{}" ? asks(policyOf(ours)) : asked;
}
