/** Cases that are a document to summarise. */
import type { Case, Setting, Size } from "./benchmark.js";

/** Tokens of a document. In shorter ones small budgets hold little but the instruction; longer ones take a CPU too long. */
const shortest = 1500;
const longest = 3500;

/** The first documents of the split that have a fitting length, uncut. */
export function documentCases({ documents, measure, size }: Setting, count: Readonly<Record<Size, number>>): Case[] {
  const cases: Case[] = [];
  for (const { id, text } of documents) {
    if (cases.length === count[size]) break;
    const tokens = measure(text);
    if (tokens < shortest || tokens > longest) continue;
    cases.push({ id, document: text, options: { length: "medium" }, groups: [] });
  }
  return cases;
}
