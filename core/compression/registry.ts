import { PrecisError } from "../errors.js";
import { said } from "../said.js";
import { type AdaKvSettings, adaKv } from "./ada-kv.js";
import { type CakeSettings, cake } from "./cake.js";
import { type ChunkKvSettings, chunkkv } from "./chunkkv.js";
import { type DynamicKvSettings, dynamickv, dynamickvPaper } from "./dynamickv.js";
import { type ExpectedAttentionSettings, expectedAttention } from "./expected-attention.js";
import { type FullSettings, full } from "./full.js";
import { type H2oSettings, h2o } from "./h2o.js";
import { type KeyDiffSettings, keydiff } from "./keydiff.js";
import type { Policy } from "./policy.js";
import { type PyramidKvSettings, pyramidkv } from "./pyramidkv.js";
import { type SnapKvSettings, snapkv } from "./snapkv.js";
import { type StreamingLlmSettings, streamingLlm } from "./streaming-llm.js";

/** Every policy's factory by the name that users type. A new policy is one new file and one line here. */
export const policies = {
  full,
  "streaming-llm": streamingLlm,
  h2o,
  snapkv,
  pyramidkv,
  chunkkv,
  "ada-kv": adaKv,
  cake,
  "expected-attention": expectedAttention,
  keydiff,
  "dynamickv-paper": dynamickvPaper,
  dynamickv,
} as const;

export type PolicyName = keyof typeof policies;

/** The settings of any policy; a policy refuses those it does not have. */
export type PolicySettings = Partial<
  FullSettings &
    StreamingLlmSettings &
    H2oSettings &
    SnapKvSettings &
    PyramidKvSettings &
    ChunkKvSettings &
    AdaKvSettings &
    CakeSettings &
    ExpectedAttentionSettings &
    KeyDiffSettings &
    DynamicKvSettings
>;

export const policyNames = Object.keys(policies) as PolicyName[];

export const defaultPolicy: PolicyName = "dynamickv";

/**
 * A policy by name, with its defaults where `settings` says nothing.
 * @throws PrecisError usage when there is no policy of that name
 * @throws RangeError for a setting that the policy does not have, or outside its range
 */
export function createPolicy(name: string, settings: PolicySettings = {}): Policy {
  if (!Object.hasOwn(policies, name)) {
    throw new PrecisError(
      "usage",
      said`There is no policy "${name}".`,
      said`Choose one of: ${policyNames.join(", ")}.`,
    );
  }
  return policies[name as PolicyName](settings);
}
