import type { Benchmark } from "../benchmark.js";
import { type QuestionCase, questionBenchmark, questionCases } from "../question-cases.js";
import { needleQuestion, needleSpec } from "./needles.js";

export const needle: Benchmark<QuestionCase> = {
  ...questionBenchmark,
  name: "needle",
  title: "One sentence in a long document",
  about:
    "A number, a name or a date stands in one sentence at some depth of the sample report's text; the question repeats the sentence's words (anchored) or says it in others (paraphrased), put as `precis ask` puts it. Found is what the greedy answer holds whole.",
  cases: (setting) =>
    questionCases(setting, {
      lengths: { quick: [2048], usual: [2048, 4096], full: [1024, 2048, 4096, 8000] }[setting.size],
      count: { quick: 6, usual: 24, full: 60 }[setting.size],
      make(index, seed, tokens) {
        const spec = needleSpec(index);
        const where = spec.depth < 1 / 3 ? "first third" : spec.depth < 2 / 3 ? "second third" : "last third";
        return {
          question: needleQuestion(spec, seed, setting.measure, tokens),
          groups: [spec.kind, spec.phrasing, where],
        };
      },
    }),
};
