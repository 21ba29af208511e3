import type { Benchmark } from "../benchmark.js";
import { type QuestionCase, questionBenchmark, questionCases } from "../question-cases.js";
import { rulerQuestion, type TaskName, taskNames } from "./tasks.js";

export const ruler: Benchmark<QuestionCase> = {
  ...questionBenchmark,
  name: "ruler",
  title: "Several sentences, traces and counting",
  about:
    "RULER's tasks with our own words: one of four needles of a kind, three values of one key, two keys at once, variables handed on, the most common words of a list. Found is the share of what was asked for that stands in the greedy answer.",
  cases: (setting) =>
    questionCases(setting, {
      lengths: { quick: [1024], usual: [1024, 2048], full: [1024, 2048, 4096, 8000] }[setting.size],
      count: taskNames.length * { quick: 1, usual: 3, full: 10 }[setting.size],
      make(index, seed, tokens) {
        const task = taskNames[index % taskNames.length] as TaskName;
        return { question: rulerQuestion(task, seed, setting.measure, tokens), groups: [task] };
      },
    }),
};
