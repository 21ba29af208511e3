import { said } from "../said.js";
import type { SummaryResult } from "./result.js";

/** What `warnings` say of an answer from a saved cache. */
export const savedCacheWords = {
  same: said`The document was not read again: this is from what was kept of it when the same was asked before.`,
  other: said`The document was not read again: this is from what was kept of it for a summary or another question, and may lack what this one needs.`,
  whole: said`The document was not read again: the question was read on its whole KV cache, which lies on disk.`,
} as const satisfies Record<NonNullable<SummaryResult["savedCache"]>, string>;
