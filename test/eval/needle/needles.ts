/** One sentence hidden in a long document, and a question whose answer it is. */
import { depth, haystack } from "../haystack.js";
import type { Question } from "../questions.js";
import { type Random, seeded } from "../random.js";
import { day, number, person, places } from "../words.js";

export const needleKinds = ["number", "name", "date"] as const;
export type NeedleKind = (typeof needleKinds)[number];

/** Anchored questions repeat the sentence's words; paraphrased ones share the place with it and say the rest otherwise. */
export const phrasings = ["anchored", "paraphrased"] as const;
export type Phrasing = (typeof phrasings)[number];

interface Needle {
  readonly sentence: string;
  readonly questions: Readonly<Record<Phrasing, string>>;
  readonly spellings: readonly string[];
}

const makers: Readonly<Record<NeedleKind, (random: Random, place: string) => Needle>> = {
  number(random, place) {
    const code = number(random);
    return {
      sentence: `The access code of the ${place} is ${code}.`,
      questions: {
        anchored: `What is the access code of the ${place}?`,
        paraphrased: `Which number opens the ${place}?`,
      },
      spellings: [code],
    };
  },
  name(random, place) {
    const name = person(random);
    return {
      sentence: `The keeper of the ${place} is ${name}.`,
      questions: {
        anchored: `Who is the keeper of the ${place}?`,
        paraphrased: `What is the name of the person in charge of the ${place}?`,
      },
      spellings: [name],
    };
  },
  date(random, place) {
    const { text, spellings } = day(random);
    return {
      sentence: `The opening date of the ${place} was ${text}.`,
      questions: {
        anchored: `What was the opening date of the ${place}?`,
        paraphrased: `On which day did the ${place} open?`,
      },
      spellings,
    };
  },
};

export interface NeedleSpec {
  readonly kind: NeedleKind;
  readonly phrasing: Phrasing;
  /** 0 to 1. */
  readonly depth: number;
}

/** The i-th of an endless row in which every kind, phrasing and depth comes equally often. */
export function needleSpec(index: number): NeedleSpec {
  return {
    kind: needleKinds[index % needleKinds.length] as NeedleKind,
    phrasing: phrasings[Math.floor(index / needleKinds.length) % phrasings.length] as Phrasing,
    depth: depth(index),
  };
}

/** @param tokens of the document, about, as `measure` counts them */
export function needleQuestion(
  { kind, phrasing, depth }: NeedleSpec,
  seed: number,
  measure: (text: string) => number,
  tokens: number,
): Question {
  const random = seeded(seed);
  const [place] = places(random, 1) as [string];
  const { sentence, questions, spellings } = makers[kind](random, place);
  return {
    document: haystack(random, measure, tokens, [{ sentence, depth }]),
    question: questions[phrasing],
    facts: [spellings],
  };
}
