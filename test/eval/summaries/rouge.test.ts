import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rougeL, rougeN, words } from "./rouge.js";

const text = fc
  .array(fc.constantFrom("the", "cat", "sat", "on", "a", "mat"), { maxLength: 12 })
  .map((list) => list.join(" "));

describe("ROUGE", () => {
  it("is what the counts by hand say", () => {
    // Lin 2004, section 3: the first keeps the reference's order, the second does not
    const reference = "police killed the gunman";
    expect(rougeN("police kill the gunman", reference, 2)).toBeCloseTo(1 / 3);
    expect(rougeN("the gunman kill police", reference, 2)).toBeCloseTo(1 / 3);
    expect(rougeL("police kill the gunman", reference)).toBeCloseTo(3 / 4);
    expect(rougeL("the gunman kill police", reference)).toBeCloseTo(1 / 2);
    expect(rougeN("the the the", "the cat", 1)).toBeCloseTo((2 * 1) / 5);
  });

  it("is 1 for the same text, 0 for nothing in common, the same both ways round, and never beyond", () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        for (const score of [rougeN(a, b, 1), rougeN(a, b, 2), rougeL(a, b)]) {
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(1);
        }
        expect(rougeL(a, b)).toBe(rougeL(b, a));
        expect(rougeN(a, b, 2)).toBe(rougeN(b, a, 2));
        // a common subsequence is made of common words
        expect(rougeL(a, b)).toBeLessThanOrEqual(rougeN(a, b, 1));
        if (a !== "") expect(rougeL(a, a)).toBe(1);
        expect(rougeN(a, "dog", 1)).toBe(0);
      }),
    );
  });

  it("knows words in any letters, and no marks", () => {
    expect(words("Élan – 3,5 % (the harbour's)!")).toEqual(["élan", "3", "5", "the", "harbour's"]);
  });
});
