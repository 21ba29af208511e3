/** Cases that are a document to summarise. */
import type { Case, Setting } from "./benchmark.js";

/** Tokens of a document. Shorter ones need no compression; longer ones take too long to read on a CPU. */
const shortest = 1000;
const longest = 4000;

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
