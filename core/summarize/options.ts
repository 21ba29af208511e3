/** What a run is asked for, from the command line and the window alike; types are derived from the validation. */
import * as z from "zod";
import { policyNames } from "../compression/registry.js";
import { kvTypes } from "../engine/kv.js";

export const lengthSchema = z.enum(["short", "medium", "long"]);
export type AnswerLength = z.infer<typeof lengthSchema>;

/** paragraph: running text; executive: with sections; chapters: one summary for each chapter of the document. */
export const styleSchema = z.enum(["paragraph", "bullets", "executive", "chapters"]);
export type Style = z.infer<typeof styleSchema>;

export const policySchema = z.enum(policyNames);

export const kvTypeSchema = z.enum(kvTypes);

/** thorough: every layer reads the whole text; fast: later layers read what matters most to earlier ones (propagation.ts). */
export const readingModeSchema = z.enum(["thorough", "fast"]);
export type ReadingMode = z.infer<typeof readingModeSchema>;

/**
 * off: the cache keeps what the instruction looks at. draft: what a draft of the answer looks at in the whole cache, which lies
 * on disk meanwhile. checked: and nothing is written that the whole cache would not have written.
 */
export const reaimSchema = z.enum(["off", "draft", "checked"]);
export type Reaim = z.infer<typeof reaimSchema>;

/**
 * What a question is answered from. memory: what an earlier reading with the same budget, policy and model has left,
 * compressed for what was asked then; where nothing is left, the document is read. document: it is read again with the
 * question in the observation window, so that what is kept is kept for this question; nothing of it is saved for others.
 */
export const answerSourceSchema = z.enum(["memory", "document"]);
export type AnswerSource = z.infer<typeof answerSourceSchema>;

/** The fewest tokens that a part may be asked to hold: fewer are no text that could be summarised. */
export const leastPartTokens = 200;

export const runOptionsSchema = z
  .object({
    /** "6.9%", "512" (tokens per layer and KV head) or "300MiB"; see parseBudget in core/estimate/estimate.ts. */
    budget: z.string().max(32),
    policy: policySchema,
    /** How kept entries are stored; undefined: `defaultKvType` of plan.ts. */
    kvType: kvTypeSchema.optional(),
    /** Undefined: thorough. */
    reading: readingModeSchema.optional(),
    /** Layers read at a time; undefined: 1 on the CPU, more on a GPU. */
    groupLayers: z.number().int().min(1).max(1_000).optional(),
    /** Whether the cache follows the answer; undefined: `defaultReaim` of plan.ts. */
    reaim: reaimSchema.optional(),
    /** Threads to compute with; undefined: as many as the machine has cores to spare. */
    threads: z.number().int().min(1).max(512).optional(),
    /** The most tokens of a document that are read at a time; undefined: as many as model and memory allow. */
    partTokens: z.number().int().min(leastPartTokens).max(10_000_000).optional(),
    length: lengthSchema,
    /** The form of a summary; undefined: paragraph. */
    style: styleSchema.optional(),
    /** What a summary should dwell on, as a question or in words. */
    focus: z.string().trim().min(1).max(1_000).optional(),
    /** Language of the answer in words ("German"); undefined: the document's. */
    language: z.string().max(64).optional(),
    /** A question to answer instead of a summary. */
    question: z.string().max(4_000).optional(),
    seed: z.number().int().nonnegative(),
    temperature: z.number().min(0).max(5),
  })
  .refine(({ question, style, focus }) => question === undefined || (style === undefined && focus === undefined), {
    path: ["question"],
    message: "the answer to a question has neither a style nor a focus",
  })
  .refine(({ reading, policy }) => reading !== "fast" || policy !== "full", {
    path: ["reading"],
    message: 'the policy "full" keeps what every layer has read of the whole text, which is not read fast',
  });
export type RunOptions = z.infer<typeof runOptionsSchema>;
