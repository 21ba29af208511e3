import { type Benchmark, type Case, greedy } from "../benchmark.js";
import { documentCases } from "../document-cases.js";
import { unsupportedRate } from "./facts.js";
import { rougeL, rougeN } from "./rouge.js";

const summaryTokens = 200;

export interface SummaryCase extends Case {
  readonly references: readonly string[];
}

const best = (references: readonly string[], score: (reference: string) => number) =>
  Math.max(0, ...references.map(score));

export const summaries: Benchmark<SummaryCase> = {
  name: "summaries",
  title: "Whole summaries",
  about: `Greedy summaries of up to ${summaryTokens} tokens, as \`precis summarize\` writes them, against summaries by people, against the full cache's own, and against the document: numbers, months and names that it does not hold. A case is a document that has a reference.`,
  metrics: [
    { key: "rouge1", title: "ROUGE-1 against references", better: "higher", unit: "%" },
    { key: "rouge2", title: "ROUGE-2 against references", better: "higher", unit: "%" },
    { key: "rougeL", title: "ROUGE-L against references", better: "higher", unit: "%" },
    { key: "sameAsFull", title: "ROUGE-L against the full cache's summary", better: "higher", unit: "%" },
    { key: "unsupported", title: "facts that the document does not hold", better: "lower", unit: "%" },
  ],
  cases(setting) {
    const documents = setting.documents.filter(({ references }) => references.length > 0);
    const references = new Map(documents.map(({ id, references }) => [id, references]));
    return documentCases({ ...setting, documents }, { quick: 2, usual: 10, full: 40 }).map((one) => ({
      ...one,
      references: references.get(one.id) ?? [],
    }));
  },
  baseline: async (session) => await session.generate({ sampling: greedy(1.1), maxTokens: summaryTokens }),
  counts: () => true,
  prepare: async () => async (session) => {
    const { text } = await session.generate({ sampling: greedy(1.1), maxTokens: summaryTokens });
    return { text };
  },
  full: ({ text }) => ({ text }),
  score({ references, document }, baseline, raw) {
    const text = String(raw.text);
    return {
      rouge1: best(references, (reference) => rougeN(text, reference, 1)),
      rouge2: best(references, (reference) => rougeN(text, reference, 2)),
      rougeL: best(references, (reference) => rougeL(text, reference)),
      sameAsFull: rougeL(text, baseline.text),
      unsupported: unsupportedRate(text, document),
    };
  },
};
