/** RULER's harder tasks (arXiv 2404.06654, section 3), from our own words: several needles, traces, counting. */
import { depth, haystack } from "../haystack.js";
import type { Question } from "../questions.js";
import { type Random, seeded } from "../random.js";
import { number, places } from "../words.js";

type Measure = (text: string) => number;
type Task = (random: Random, measure: Measure, tokens: number) => Question;

const code = (place: string, value: string) => `The access code of the ${place} is ${value}.`;

/** Sentences at depths of their own, spread over the document. */
function scattered(random: Random, sentences: readonly string[]) {
  const start = random.whole(0, 1000);
  return sentences.map((sentence, index) => ({ sentence, depth: depth(start + index) }));
}

/** As many words as `tokens` hold, numbered, so that each is told from the next. */
function wordList(measure: Measure, tokens: number, word: (index: number) => string): string {
  const lines: string[] = [];
  for (let left = tokens; left > 0; ) {
    const line = `${lines.length + 1}. ${word(lines.length)}`;
    left -= measure(line) + 1;
    lines.push(line);
  }
  return lines.join("\n");
}

const things =
  "lantern saddle pepper anchor violin thistle marble beacon kettle feather walnut copper ribbon glacier mustard ladder orchid pillow hammer candle parrot velvet cactus compass".split(
    " ",
  );

export const tasks = {
  /** The sentence asked for stands among three of its kind. */
  "multi-key"(random, measure, tokens) {
    const needles = places(random, 4).map((place) => ({ place, value: number(random) }));
    const { place, value } = random.pick(needles);
    const sentences = needles.map((needle) => code(needle.place, needle.value));
    return {
      document: haystack(random, measure, tokens, scattered(random, sentences)),
      question: `What is the access code of the ${place}?`,
      facts: [[value]],
    };
  },

  /** Three values of one place, far apart. */
  "multi-value"(random, measure, tokens) {
    const [place] = places(random, 1) as [string];
    const values = Array.from({ length: 3 }, () => number(random));
    const sentences = values.map((value) => `One of the access codes of the ${place} is ${value}.`);
    return {
      document: haystack(random, measure, tokens, scattered(random, sentences)),
      question: `What are the three access codes of the ${place}?`,
      facts: values.map((value) => [value]),
    };
  },

  /** Two places asked for at once. */
  "multi-query"(random, measure, tokens) {
    const needles = places(random, 2).map((place) => ({ place, value: number(random) }));
    const [first, second] = needles.map(({ place }) => place) as [string, string];
    return {
      document: haystack(
        random,
        measure,
        tokens,
        scattered(
          random,
          needles.map(({ place, value }) => code(place, value)),
        ),
      ),
      question: `What are the access codes of the ${first} and of the ${second}?`,
      facts: needles.map(({ value }) => [value]),
    };
  },

  /** A value handed on twice: the answer is the chain. */
  tracing(random, measure, tokens) {
    const names = random.draw(things, 3).map((thing) => thing.toUpperCase());
    const [first, second, third] = names as [string, string, string];
    const value = number(random);
    const sentences = [`VAR ${first} = ${value}.`, `VAR ${second} = VAR ${first}.`, `VAR ${third} = VAR ${second}.`];
    // in their order: nothing refers to what comes later
    const hidden = sentences.map((sentence, index) => ({
      sentence,
      depth: (index + random.next()) / sentences.length,
    }));
    return {
      document: haystack(random, measure, tokens, hidden),
      question: `Find all variables that have the value ${value}, directly or through another variable. Which are they?`,
      facts: names.map((name) => [name]),
    };
  },

  /** One word stands about nine times as often as any other. */
  "common-words"(random, measure, tokens) {
    const [common, ...others] = random.draw(things, 15) as [string, ...string[]];
    return {
      document: wordList(measure, tokens, (index) => (index % 5 < 2 ? common : random.pick(others))),
      question: "Which word stands most often in the list?",
      facts: [[common]],
    };
  },

  /** Words of a made-up language, the r-th as often as 1/r^2 says; the three most frequent are asked for. */
  "frequent-words"(random, measure, tokens) {
    const ranked = random.draw(things, 12);
    const weights = ranked.map((_, rank) => 1 / (rank + 1) ** 2);
    const upTo = weights.map((_, rank) => weights.slice(0, rank + 1).reduce((a, b) => a + b, 0));
    const draw = () => {
      const at = random.next() * (upTo.at(-1) as number);
      return ranked[upTo.findIndex((bound) => at < bound)] as string;
    };
    return {
      document: wordList(measure, tokens, draw),
      question: "Which three words stand most often in the list?",
      facts: ranked.slice(0, 3).map((word) => [word]),
    };
  },
} as const satisfies Record<string, Task>;

export type TaskName = keyof typeof tasks;
export const taskNames = Object.keys(tasks) as TaskName[];

/** @param tokens of the document, about, as `measure` counts them */
export function rulerQuestion(task: TaskName, seed: number, measure: Measure, tokens: number): Question {
  return tasks[task](seeded(seed), measure, tokens);
}
