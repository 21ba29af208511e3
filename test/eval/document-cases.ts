/** Cases that are a document to summarise. */
import type { Case, Setting } from "./benchmark.js";

/** Tokens of a document. In shorter ones small budgets hold little but the instruction; longer ones take a CPU too long. */
const shortest = 1500;
const longest = 3500;

/** The first documents of the split that have a fitting length, uncut. */
export function documentCases(
  { documents, measure, quick }: Setting,
  count: { readonly quick: number; readonly full: number },
): Case[] {
  const cases: Case[] = [];
  for (const { id, text } of documents) {
    if (cases.length === (quick ? count.quick : count.full)) break;
    const tokens = measure(text);
    if (tokens < shortest || tokens > longest) continue;
    cases.push({ id, document: text, options: { length: "medium" }, groups: [] });
  }
  return cases;
}
