import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sampleReport } from "./documents.js";
import { depth } from "./haystack.js";
import { needleQuestion, needleSpec } from "./needle/needles.js";
import { type Question, recall } from "./questions.js";
import { rulerQuestion, taskNames } from "./ruler/tasks.js";

/** Near enough to a tokenizer for lengths. */
const measure = (text: string) => text.length / 4;
const seeds = fc.integer({ min: 1, max: 1_000_000 });
const lengths = fc.integer({ min: 600, max: 6000 });

const occurrences = (text: string, part: string) => text.split(part).length - 1;

function expectLength({ document }: Question, tokens: number): void {
  // paragraphs are whole, so a document ends up to one of them early; a line end counts as a token
  expect(measure(document)).toBeLessThanOrEqual(tokens * 1.02 + 20);
  expect(measure(document)).toBeGreaterThan(0.75 * tokens - 300);
}

describe("a needle", () => {
  it("stands once in a document of the length asked for, and the question does not give it away", () => {
    fc.assert(
      fc.property(fc.nat(60), seeds, lengths, (index, seed, tokens) => {
        const spec = needleSpec(index);
        const question = needleQuestion(spec, seed, measure, tokens);
        const [[answer]] = question.facts as [[string]];
        expect(occurrences(question.document, answer)).toBe(1);
        expect(sampleReport).not.toContain(answer);
        expect(recall(question.question, question.facts)).toBe(0);
        expectLength(question, tokens);
        expect(needleQuestion(spec, seed, measure, tokens)).toEqual(question);
        // within a paragraph or so of its depth
        const at = question.document.indexOf(answer) / question.document.length;
        expect(Math.abs(at - spec.depth)).toBeLessThan(0.45);
      }),
    );
  });

  it("lies at every depth equally often", () => {
    const thirds = [0, 0, 0];
    for (let index = 0; index < 60; index++) thirds[Math.floor(depth(index) * 3)]!++;
    for (const count of thirds) expect(Math.abs(count - 20)).toBeLessThanOrEqual(1);
  });
});

describe("a task of RULER", () => {
  it("is answered by what its document holds, alike for the same seed", () => {
    fc.assert(
      fc.property(fc.constantFrom(...taskNames), seeds, lengths, (task, seed, tokens) => {
        const question = rulerQuestion(task, seed, measure, tokens);
        const parts = question.facts.map(([fact]) => fact as string);
        for (const part of parts) expect(question.document).toContain(part);
        expect(recall(parts.join(", "), question.facts)).toBe(1);
        expect(new Set(parts).size).toBe(parts.length);
        expectLength(question, tokens);
        expect(rulerQuestion(task, seed, measure, tokens)).toEqual(question);
      }),
    );
  });

  it("asks for the words that are really the most common", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { document, facts } = rulerQuestion("common-words", seed, measure, 2000);
        const counts = new Map<string, number>();
        for (const word of document.match(/[a-z]+/g) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
        const [most] = [...counts].toSorted(([, a], [, b]) => b - a);
        expect(facts).toEqual([[most?.[0]]]);
      }),
      { numRuns: 20 },
    );
  });
});

describe("an answer", () => {
  it("counts each fact in any of its spellings, as whole words", () => {
    const facts = [["48213"], ["14 March 1887", "March 14, 1887"]];
    expect(recall("The code is 48213, set on MARCH 14 1887.", facts)).toBe(1);
    expect(recall("It is 482130 or 4821.", facts)).toBe(0);
    expect(recall("It was 14 March 1887", facts)).toBe(0.5);
  });
});
