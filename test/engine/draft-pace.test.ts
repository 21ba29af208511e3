import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DraftPace } from "../../core/engine/draft-pace.js";

/** Writes so many tokens where each takes `msOf` its draft's length. @returns how many were written with each length */
function written(tokens: number, msOf: (length: number, at: number) => number): Map<number, number> {
  const pace = new DraftPace();
  const counts = new Map<number, number>();
  for (let at = 0; at < tokens; at += pace.stretch) {
    const length = pace.next();
    counts.set(length, (counts.get(length) ?? 0) + pace.stretch);
    pace.took(length, pace.stretch, pace.stretch * msOf(length, at));
  }
  return counts;
}

describe("the length of drafts", () => {
  it("is soon the faster one, whichever that is and by however much, and the other is tried now and then", () => {
    fc.assert(
      fc.property(fc.double({ min: 1.01, max: 50, noNaN: true }), fc.boolean(), (times, drafts) => {
        const counts = written(2000, (length) => 200 * (length > 1 === drafts ? 1 : times));
        const fast = counts.get(drafts ? 8 : 1) as number;
        expect(fast / 2000).toBeGreaterThan(0.9);
        expect(counts.get(drafts ? 1 : 8)).toBeGreaterThan(16);
      }),
    );
  });

  it("changes when the text does", () => {
    const counts = written(2000, (length, at) => 200 * (length > 1 === at < 1000 ? 1 : 3));
    expect(counts.get(8)).toBeGreaterThan(700);
    expect(counts.get(1)).toBeGreaterThan(700);
  });

  it("is not tried where nobody waits for a token", () => {
    expect([...written(2000, (length) => (length > 1 ? 1 : 99)).keys()]).toEqual([1]);
  });

  it("learns nothing of a stretch without tokens", () => {
    const pace = new DraftPace();
    pace.took(1, 0, 5);
    expect(pace.next()).toBe(1);
  });
});
