/** What the terminal says of an answer's citations, once it is written: the answer itself streams without them. */
import { basename } from "node:path";
import { pageList } from "../documents/page-list.js";
import type { SummaryResult } from "../summarize/result.js";

/** The pages that support it, and each sentence that none does; no line where the answer has no sentence. */
export function citationLines({ text, citations, document, furtherDocuments }: SummaryResult): string[] {
  if (citations.length === 0) return [];
  const documents = [document, ...furtherDocuments];
  const pages = documents.flatMap(({ path, coverage }, index) => {
    const own = citations
      .filter((citation) => (citation.document ?? 0) === index)
      .flatMap((citation) => citation.pages);
    if (own.length === 0) return [];
    const list = pageList(
      [...new Set(own)].sort((one, other) => one - other),
      coverage.unit,
    );
    return [documents.length > 1 ? `${basename(path)}: ${list}` : list];
  });
  const without = citations.filter((citation) => citation.pages.length === 0);
  const sentences = without.map(({ start, end }) => `  ${text.slice(start, end).replace(/\s+/g, " ")}`);
  return [
    ...(pages.length > 0 ? [`Supported by ${pages.join("; ")}.`] : []),
    ...(sentences.length > 0 ? [`No ${document.coverage.unit} was found that supports:`, ...sentences] : []),
  ];
}
