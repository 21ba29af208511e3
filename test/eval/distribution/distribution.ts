import type { DocumentSession } from "../../../core/engine/session.js";
import { type Benchmark, type Case, greedy } from "../benchmark.js";
import { documentCases } from "../document-cases.js";
import { divergence } from "./divergence.js";

/** Tokens of the summary along which distributions are compared: more of them say less than one more document does. */
const summaryTokens = 48;

export const distribution: Benchmark<Case> = {
  name: "distribution",
  title: "How far the next-token distributions are from the full cache's",
  about: `The first ${summaryTokens} tokens of the full cache's own greedy summary are fed one by one; after each, all probabilities of the next token are compared. A case is a document.`,
  metrics: [
    { key: "kl", title: "mean KL divergence, nats", better: "lower", unit: "nats" },
    { key: "agreement", title: "same first choice", better: "higher", unit: "%" },
    { key: "logPerplexityRatio", title: "perplexity, times the full cache's", better: "lower", unit: "ratio" },
  ],
  cases: (setting) => documentCases(setting, { quick: 3, usual: 20, full: 60 }),
  baseline: async (session) => await session.generate({ sampling: greedy(1.1), maxTokens: summaryTokens }),
  counts: () => true,
  async prepare(session, _one, answer) {
    const [fed, following] = [answer.slice(0, -1), answer.slice(1)];
    const reference = await session.feed(fed);
    return async (other: DocumentSession) => ({ ...divergence(reference, await other.feed(fed), following) });
  },
  full: () => ({ kl: 0, agreement: 1, logPerplexityRatio: 0 }),
  score: (_one, _baseline, raw) => raw as Record<string, number>,
};
