/** Cases that are a question with one right answer: what needle and ruler share. */
import { type Benchmark, type Case, greedy, type Setting } from "./benchmark.js";
import { type Question, recall } from "./questions.js";

export interface QuestionCase extends Case {
  readonly facts: Question["facts"];
}

/** Long enough for a sentence around the answer. */
const answerTokens = 40;

/** The chat template, the instruction and the answer fit beside a document of this share of a length. */
const documentShare = 0.96;

/** Seeds of the splits lie apart. */
const firstSeed = { tuning: 1, reporting: 100_001 } as const;

/** `count` cases of each length, in turns, so that a run that is stopped has some of all. */
export function questionCases(
  { split, lengths }: Setting,
  plan: {
    readonly lengths: readonly number[];
    readonly count: number;
    readonly make: (index: number, seed: number, tokens: number) => { question: Question; groups: readonly string[] };
  },
): QuestionCase[] {
  const chosen = lengths ?? plan.lengths;
  return Array.from({ length: plan.count }, (_, index) => index).flatMap((index) =>
    chosen.map((length) => {
      const seed = firstSeed[split] + index;
      const tokens = Math.floor(length * documentShare) - 80;
      const { question, groups } = plan.make(index, seed, tokens);
      return {
        id: `${length}.${seed}`,
        document: question.document,
        options: { length: "short", question: question.question },
        facts: question.facts,
        groups: [`${length} tokens`, ...groups],
      } satisfies QuestionCase;
    }),
  );
}

/** Only what the full cache answers says anything about compression. */
export const questionBenchmark: Omit<Benchmark<QuestionCase>, "name" | "title" | "about" | "cases"> = {
  metrics: [{ key: "found", title: "found, of what the full cache finds", better: "higher", unit: "%" }],
  baseline: async (session) => await session.generate({ sampling: greedy(1), maxTokens: answerTokens }),
  counts: ({ facts }, { text }) => recall(text, facts) === 1,
  prepare: async () => async (session) => {
    const { text } = await session.generate({ sampling: greedy(1), maxTokens: answerTokens });
    return { text };
  },
  full: ({ text }) => ({ text }),
  score: ({ facts }, _baseline, { text }) => ({ found: recall(String(text), facts) }),
};
