import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  budgetFigures,
  leastParts,
  leastShare,
  nextStop,
  positionOf,
  roundShare,
  shareAt,
  sliderSteps,
  smallestUsefulShare,
  snappedShare,
  steppedShare,
  stops,
} from "../../renderer/view/budget.js";
import { documentSummary, model } from "./support.js";

const shares = fc.integer({ min: 10, max: 1000 }).map((tenths) => tenths / 10);

describe("the slider's scale", () => {
  it("has its ends at the least share and at the full cache", () => {
    expect(shareAt(0)).toBe(leastShare);
    expect(shareAt(sliderSteps)).toBe(100);
  });

  it("finds every share again from its place", () => {
    fc.assert(fc.property(shares, (share) => shareAt(positionOf(share)) === share));
  });

  it("snaps a dragged handle near a stop and nowhere else", () => {
    for (const { share } of stops) {
      expect(snappedShare(positionOf(share) + 5)).toBe(share);
      expect(snappedShare(positionOf(share) - 5)).toBe(share);
    }
    expect(snappedShare(positionOf(12))).toBe(12);
  });
});

describe("the slider's keys", () => {
  it("never hold a share fast: each fine step moves, until the end", () => {
    fc.assert(
      fc.property(shares, (share) => {
        expect(steppedShare(share, 1) > share || share === 100).toBe(true);
        expect(steppedShare(share, -1) < share || share === leastShare).toBe(true);
      }),
    );
  });

  it("take back a step with the opposite one", () => {
    for (const share of [6.9, 10, 25, 50]) {
      expect(steppedShare(steppedShare(share, 1), -1)).toBe(share);
      expect(steppedShare(steppedShare(share, -1), 1)).toBe(share);
    }
  });

  it("go from stop to stop, and then to the ends", () => {
    expect(nextStop(6.9, 1)).toBe(25);
    expect(nextStop(6.8, 1)).toBe(6.9);
    expect(nextStop(25, -1)).toBe(6.9);
    expect(nextStop(1.7, -1)).toBe(leastShare);
    expect(nextStop(100, 1)).toBe(100);
  });

  it("keep shares to one decimal within the slider", () => {
    expect([roundShare(0.2), roundShare(6.94), roundShare(250)]).toEqual([1, 6.9, 100]);
  });
});

describe("the figures", () => {
  // 6,100 tokens x 30 layers x 3 KV heads x 2 rows x 64 values x 2 bytes
  const full = 6_100 * 30 * 3 * 2 * 64 * 2;

  it("are exact for the whole prompt", () => {
    const figures = budgetFigures(model, documentSummary(), 25, "dynamickv");
    expect(figures).toMatchObject({ promptTokens: 6_100, fullBytes: full, bytes: full / 4, tokensPerLayer: 1_525 });
  });

  it("never exceed the share, and grow with it", () => {
    fc.assert(
      fc.property(shares, shares, (one, other) => {
        const [less, more] = one < other ? [one, other] : [other, one];
        const at = (share: number) => budgetFigures(model, documentSummary(), share, "dynamickv").bytes;
        expect(at(less)).toBeLessThanOrEqual(at(more));
        expect(at(less)).toBeLessThanOrEqual((full * less) / 100 + 1e-3);
      }),
    );
  });

  it("are the full cache's when everything is kept", () => {
    expect(budgetFigures(model, documentSummary(), 1.7, "full")).toMatchObject({ bytes: full });
    expect(budgetFigures(model, documentSummary(), 1.7, "full").peakBytes).toBeGreaterThan(full);
  });

  it("hatch the shares that the instruction alone would fill", () => {
    const smallest = smallestUsefulShare(model, documentSummary());
    const { tokensPerLayer } = budgetFigures(model, documentSummary(), Math.ceil(smallest * 10) / 10, "dynamickv");
    expect(tokensPerLayer).toBeGreaterThan(100);
  });
});

it("counts the parts of a document that the model cannot read whole, and gives the figures of a full one", () => {
  expect(leastParts(model, documentSummary("d", 8_092))).toBe(1);
  expect(leastParts(model, documentSummary("d", 8_093))).toBe(2);
  const long = documentSummary("d", 80_000);
  expect(leastParts(model, long)).toBe(10);
  expect(budgetFigures(model, long, 25, "dynamickv")).toMatchObject({ parts: 10, promptTokens: 8_192 });
  expect(smallestUsefulShare(model, long)).toBeCloseTo((100 * 101) / 8_192, 2);
});
