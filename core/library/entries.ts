/** What the library tells of its documents; apart from the library itself, so that the window can know it without SQLite. */
import * as z from "zod";
import { recognitionSchema } from "../documents/recognition.js";
import { lengthSchema, runOptionsSchema } from "../summarize/options.js";
import { answerSchema, summaryResultSchema } from "../summarize/result.js";
import { wireErrorSchema } from "../wire-error.js";

export const entrySchema = z.object({
  path: z.string(),
  title: z.string(),
  unit: z.enum(["page", "chapter", "slide", "section"]),
  pages: z.number().int(),
  /** When it was last opened, in milliseconds since 1970. */
  opened: z.number(),
  summarised: z.boolean(),
  /** In the order of the alphabet. */
  tags: z.array(z.string()),
});
export type LibraryEntry = z.infer<typeof entrySchema>;

export const hitSchema = z.object({
  entry: entrySchema,
  /** Whether its last summary that has all that was asked for is what `snippet` is from. */
  inSummary: z.boolean(),
  /** The first page that has it; undefined when none does. */
  page: z.number().int().optional(),
  /** How many pages have it. */
  found: z.number().int(),
  snippet: z.array(z.object({ text: z.string(), found: z.boolean() })),
});
export type LibraryHit = z.infer<typeof hitSchema>;

export const storedRunSchema = z.object({
  started: z.number(),
  ended: z.number(),
  options: runOptionsSchema,
  result: summaryResultSchema,
  /** What was asked about it, in that order. */
  answers: z.array(answerSchema),
});
export type StoredRun = z.infer<typeof storedRunSchema>;

/** What tells a document's runs apart. */
export const listedRunSchema = z.object({
  id: z.number().int(),
  started: z.number(),
  ended: z.number(),
  budget: z.string(),
  policy: z.string(),
  length: lengthSchema,
});
export type ListedRun = z.infer<typeof listedRunSchema>;

/** Bytes. */
export const librarySizesSchema = z.object({ documents: z.number(), runs: z.number() });
export type LibrarySizes = z.infer<typeof librarySizesSchema>;

export const listSchema = z.object({
  /** Latest first; at most as many as were asked for. */
  entries: z.array(entrySchema),
  /** How many there are in all. */
  total: z.number().int(),
  /** Every tag, and how many documents have it. */
  tags: z.array(z.object({ tag: z.string(), documents: z.number().int() })),
});
export type LibraryList = z.infer<typeof listSchema>;

/** A document that is to be summarised, is being summarised, or was, in the order in which it is its turn. */
export const queueItemSchema = z.object({
  id: z.string().min(1).max(64),
  path: z.string().min(1).max(4_096),
  /** Documents that become one summary with it. */
  further: z.array(z.string().min(1).max(4_096)).optional(),
  recognition: recognitionSchema,
  /** Undefined until they are chosen; options of a form that this Precis does not know are chosen anew. */
  options: runOptionsSchema.optional().catch(undefined),
  /** held: it waits for the user, not for its turn. */
  state: z.enum(["held", "waiting", "running", "done", "failed"]),
  /** It was running when Precis ended, and has not run since. */
  interrupted: z.boolean(),
  /** When the run began and ended, in milliseconds since 1970. */
  started: z.number().optional(),
  ended: z.number().optional(),
  /** Why it failed, or why it is held. */
  error: wireErrorSchema.optional(),
});
export type QueueItem = z.infer<typeof queueItemSchema>;
