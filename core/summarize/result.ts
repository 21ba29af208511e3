/** What one run answers: the object that `--json` prints, the worker returns and the reports are made from. */
import * as z from "zod";
import { citationSchema } from "../citations/citation.js";

import { answerSourceSchema, kvTypeSchema, readingModeSchema } from "./options.js";

export type { Citation } from "../citations/citation.js";

const count = z.number().int().nonnegative();
const milliseconds = z.number().nonnegative();

/** Which pages were read and how (core/documents/coverage.ts): every page stands in exactly one of the lists. */
export const coverageSchema = z.object({
  /** What the document's pages are called. */
  unit: z.enum(["page", "chapter", "slide", "section"]),
  text: z.array(count),
  /** Scanned pages; `confidence` 0..1. */
  ocr: z.array(z.object({ page: count, confidence: z.number().min(0).max(1) })),
  empty: z.array(count),
  failed: z.array(z.object({ page: count, reason: z.string() })),
});
export type Coverage = z.infer<typeof coverageSchema>;

export const documentSchema = z.object({
  path: z.string(),
  /** What the document calls itself, or its file is called; older results have none. */
  title: z.string().optional(),
  pages: count,
  /** Tokens of the document's own text, without template and instruction. */
  tokens: count,
  /** Numbers (1-based) of the pages whose text the model read; pages without text are missing from it. */
  pagesRead: z.array(count),
  coverage: coverageSchema,
  warnings: z.array(z.string()),
});

/** What was read in one go: the whole document, or a part of it. */
export const partSchema = z.object({
  /** 0 for `document`, 1 for the first of `furtherDocuments`, and so on. */
  document: count,
  /** The heading that it stands under, where there is one. */
  title: z.string().optional(),
  /** Numbers of the pages that it begins and ends on; neighbours may share one. */
  pages: z.object({ first: count, last: count }),
  tokens: count,
});

/** How much reading kept, layers by stretches of the text. */
export const retentionSchema = z.object({
  /** Stretches, about equally many tokens each. */
  columns: count,
  /** How much of each is kept, from 0 to 255, all of it: a row of bytes for each of `kv.layers`, in base64. */
  shares: z.string(),
  /** Where the pages that have text begin, in columns; documents are counted as those of `parts` are. */
  pages: z.array(z.object({ document: count, page: count, at: z.number().nonnegative() })),
});
export type Retention = z.infer<typeof retentionSchema>;

export const summaryResultSchema = z.object({
  text: z.string(),
  /** Of each sentence of `text`, in order. */
  citations: z.array(citationSchema),
  document: documentSchema,
  /** Of a summary across several documents: those beside the first, in order. */
  furtherDocuments: z.array(documentSchema),
  /** In order; every passage of the documents is in exactly one of them. */
  parts: z.array(partSchema),
  model: z.object({ id: z.string(), path: z.string(), layers: count, kvHeads: count, contextLength: count }),
  policy: z.string(),
  /** How kept entries were stored; undefined in results of before that was kept. */
  kvType: kvTypeSchema.optional(),
  /** Undefined: thorough. */
  reading: readingModeSchema.optional(),
  budget: z.object({ requested: z.string(), bytes: count, tokensPerLayer: count }),
  /** Of the largest prompt, where there were several; the peak is that of the whole run. */
  kv: z.object({
    fullBytes: count,
    retainedBytes: count,
    peakBytes: count,
    layers: z.array(z.object({ layer: count, tokens: count, bytes: count })),
  }),
  /** Of the text of all parts, where something was dropped. */
  retention: retentionSchema.optional(),
  memory: z.object({ peakRssBytes: count }),
  /**
   * loadMs: the model; readMs: the file to pages; prefillMs and compressMs: the prompt; the rest: the answer. Of
   * several parts the sums, those that an earlier run had finished included; firstTokenMs is of what was written last.
   */
  timings: z.object({
    loadMs: milliseconds,
    readMs: milliseconds,
    prefillMs: milliseconds,
    compressMs: milliseconds,
    firstTokenMs: milliseconds,
    decodeMs: milliseconds,
    decodeTokens: count,
  }),
  /** The document was not read again: what the saved cache that was taken up instead was made for (`savedCacheWords`). */
  savedCache: z.enum(["same", "other", "whole"]).optional(),
  warnings: z.array(z.string()),
});
export type SummaryResult = z.infer<typeof summaryResultSchema>;

/** A question about a document that was summarised, and its answer. */
export const answerSchema = z.object({
  id: z.string(),
  /** When, in milliseconds since 1970. */
  asked: z.number(),
  question: z.string(),
  /** What was asked for; `result.savedCache` says whether something was left to answer from. */
  from: answerSourceSchema,
  result: summaryResultSchema,
});
export type Answer = z.infer<typeof answerSchema>;
