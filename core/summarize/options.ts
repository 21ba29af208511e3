/** What a run is asked for, from the command line and the window alike; types are derived from the validation. */
import { z } from "zod";
import { policyNames } from "../compression/registry.js";
import { kvTypes } from "../engine/kv.js";

export const lengthSchema = z.enum(["short", "medium", "long"]);
export type AnswerLength = z.infer<typeof lengthSchema>;

export const policySchema = z.enum(policyNames);

export const kvTypeSchema = z.enum(kvTypes);

export const runOptionsSchema = z.object({
  /** "6.9%", "512" (tokens per layer and KV head) or "300MiB"; see parseBudget in core/estimate/estimate.ts. */
  budget: z.string().max(32),
  policy: policySchema,
  /** How kept entries are stored; undefined: f16. */
  kvType: kvTypeSchema.optional(),
  /** Layers read at a time; undefined: 1 on the CPU, more on a GPU. */
  groupLayers: z.number().int().min(1).max(1_000).optional(),
  length: lengthSchema,
  /** Language of the answer in words ("German"); undefined: the document's. */
  language: z.string().max(64).optional(),
  /** A question to answer instead of a summary. */
  question: z.string().max(4_000).optional(),
  seed: z.number().int().nonnegative(),
  temperature: z.number().min(0).max(5),
});
export type RunOptions = z.infer<typeof runOptionsSchema>;
