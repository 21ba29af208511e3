/**
 * What crosses between a host (Electron's main process, a test) and the worker that summarises: requests with an id,
 * events and one answer for each. The protocol does not know what carries it. Types are derived from the validation.
 */
import * as z from "zod";
import { recognitionSchema } from "../documents/recognition.js";
import { librarySizesSchema } from "../library/entries.js";
import { libraryRequestSchema } from "../library/requests.js";
import { answerSourceSchema, runOptionsSchema } from "../summarize/options.js";
import { coverageSchema } from "../summarize/result.js";
import { wireErrorSchema } from "../wire-error.js";

export { type Recognition, recognitionSchema } from "../documents/recognition.js";
export {
  type AnswerSource,
  answerSourceSchema,
  lengthSchema,
  policySchema,
  type RunOptions,
  runOptionsSchema,
} from "../summarize/options.js";
export { type WireError, wireErrorSchema } from "../wire-error.js";

export const questionOptionsSchema = runOptionsSchema.refine(({ question }) => (question ?? "").trim() !== "", {
  path: ["question"],
  message: "the question is empty",
});

/** undefined: as many as fit. */
const gpuLayers = z.number().int().min(0).max(1_000).optional();

const toRead = { documentId: z.string(), further: z.array(z.string()).optional(), options: runOptionsSchema };

/** caches: what readings kept for questions; parts: what stopped readings of long documents had finished. */
export const clearableSchema = z.enum(["caches", "parts"]);
export type Clearable = z.infer<typeof clearableSchema>;

export const requestSchema = z.discriminatedUnion("kind", [
  /** Loads the model; answers ModelSummary. */
  z.object({ id: z.number().int(), kind: z.literal("load-model"), model: z.string().optional(), gpuLayers }),
  /** Reads what a model's file says of itself, and whether it is whole; answers ModelFacts (core/models/added.ts). */
  z.object({ id: z.number().int(), kind: z.literal("inspect-model"), path: z.string() }),
  /** From now on, saved caches take this much at most; the least recently used ones go. */
  z.object({ id: z.number().int(), kind: z.literal("limit-caches"), bytes: z.number().nonnegative() }),
  /** Reads a file; answers DocumentSummary and keeps the document under `documentId`. */
  z.object({
    id: z.number().int(),
    kind: z.literal("open"),
    documentId: z.string(),
    path: z.string(),
    recognition: recognitionSchema.optional(),
  }),
  z.object({ id: z.number().int(), kind: z.literal("close"), documentId: z.string() }),
  /** What was read of some pages of an open document, from `first` to `last`, as far as there are any; answers PageText[]. */
  z.object({
    id: z.number().int(),
    kind: z.literal("page-texts"),
    documentId: z.string(),
    first: z.number().int().min(1),
    last: z.number().int(),
  }),
  /**
   * Summarises an open document, or it and further ones together; "progress" and "text" events, then SummaryResult
   * (core/summarize/result.ts). What the reading of one document kept is saved for questions.
   */
  z.object({ id: z.number().int(), kind: z.literal("summarize"), ...toRead }),
  /** What that would take; answers Forecast (core/summarize/forecast.ts). */
  z.object({ id: z.number().int(), kind: z.literal("forecast"), ...toRead }),
  /**
   * Answers `options.question` about an open document; events and result as of "summarize". The library keeps the answer
   * with the document's last summary, under `answerId`.
   */
  z.object({
    id: z.number().int(),
    kind: z.literal("ask"),
    documentId: z.string(),
    answerId: z.string().min(1).max(64),
    options: questionOptionsSchema,
    from: answerSourceSchema,
  }),
  /** Looks something up in the library, or deletes it; core/library/requests.ts says what is answered. */
  z.object({ id: z.number().int(), kind: z.literal("library"), request: libraryRequestSchema }),
  /** What is kept takes how much; answers StorageUse. First deletes what `clear` names. */
  z.object({ id: z.number().int(), kind: z.literal("storage"), clear: clearableSchema.optional() }),
  /** Cancels the request with id `target`, which then fails with "cancelled". Has an answer of its own. */
  z.object({ id: z.number().int(), kind: z.literal("cancel"), target: z.number().int() }),
  /** Disposes everything native; after the answer the worker may be ended. */
  z.object({ id: z.number().int(), kind: z.literal("shutdown") }),
]);
export type Request = z.infer<typeof requestSchema>;

export const documentSummarySchema = z.object({
  documentId: z.string(),
  path: z.string(),
  title: z.string(),
  kind: z.enum(["pdf", "docx", "epub", "html", "odt", "pptx", "text", "markdown"]),
  unit: z.enum(["page", "chapter", "slide", "section"]),
  pages: z.number().int(),
  /** Tokens of the document's text in the loaded model's vocabulary. */
  tokens: z.number().int(),
  /** Tokens of a summary's prompt beside the document's (template, system prompt, instruction), an upper bound. */
  promptTokens: z.number().int(),
  /** The most tokens that a summary may take. */
  answerTokens: z.number().int(),
  coverage: coverageSchema,
  warnings: z.array(z.string()),
});
export type DocumentSummary = z.infer<typeof documentSummarySchema>;

/** Bytes on this computer. */
export const storageUseSchema = librarySizesSchema.extend({ caches: z.number(), parts: z.number() });
export type StorageUse = z.infer<typeof storageUseSchema>;

/** `text` is "" on a page without any, and on one that could not be read. */
export const pageTextSchema = z.object({ number: z.number().int(), text: z.string() });
export type PageText = z.infer<typeof pageTextSchema>;

export const modelSummarySchema = z.object({
  id: z.string(),
  path: z.string(),
  architecture: z.string(),
  layers: z.number().int(),
  fullLayers: z.number().int(),
  kvHeads: z.number().int(),
  keySize: z.number().int(),
  valueSize: z.number().int(),
  queryHeads: z.number().int(),
  embeddingSize: z.number().int(),
  feedForwardSize: z.number().int(),
  vocabularySize: z.number().int(),
  contextLength: z.number().int(),
  weightsBytes: z.number(),
  gpuLayers: z.number().int(),
  gpu: z.enum(["cuda", "vulkan", "metal"]).optional(),
});
export type ModelSummary = z.infer<typeof modelSummarySchema>;

export const progressSchema = z.object({
  stage: z.enum(["loading", "opening", "reading", "writing"]),
  /** 0..1 within the stage. */
  fraction: z.number(),
  elapsedMs: z.number(),
  remainingMs: z.number().optional(),
  /** Of reading, when a document is read in several parts: PartProgress of core/summarize/progress.ts. */
  part: z.object({ number: z.number().int(), count: z.number().int(), why: z.string() }).optional(),
  /** Of opening, while scanned pages are recognised: how many of those that may need it are done. */
  scans: z.object({ done: z.number().int(), total: z.number().int() }).optional(),
});
export type Progress = z.infer<typeof progressSchema>;

export const replySchema = z.discriminatedUnion("kind", [
  z.object({ id: z.number().int(), kind: z.literal("progress"), progress: progressSchema }),
  z.object({ id: z.number().int(), kind: z.literal("text"), text: z.string() }),
  z.object({ id: z.number().int(), kind: z.literal("done"), result: z.unknown() }),
  z.object({ id: z.number().int(), kind: z.literal("failed"), error: wireErrorSchema }),
]);
export type Reply = z.infer<typeof replySchema>;
