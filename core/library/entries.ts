/** What the library tells of its documents; apart from the library itself, so that the window can know it without SQLite. */
import { z } from "zod";
import { runOptionsSchema } from "../summarize/options.js";
import { summaryResultSchema } from "../summarize/result.js";

export const entrySchema = z.object({
  path: z.string(),
  title: z.string(),
  unit: z.enum(["page", "chapter", "slide", "section"]),
  pages: z.number().int(),
  /** When it was last opened, in milliseconds since 1970. */
  opened: z.number(),
  summarised: z.boolean(),
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
});
export type StoredRun = z.infer<typeof storedRunSchema>;

export const listSchema = z.object({
  /** Latest first; at most as many as were asked for. */
  entries: z.array(entrySchema),
  /** How many there are in all. */
  total: z.number().int(),
});
export type LibraryList = z.infer<typeof listSchema>;
