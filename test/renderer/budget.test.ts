import fc from "fast-check";
import { describe, expect, it } from "vitest";
import measured from "../../docs/eval/slider.json" with { type: "json" };
import type { KvType } from "../../electron/core.js";
import { locales } from "../../electron/language.js";
import {
  agreements,
  budgetFigures,
  leastParts,
  leastShare,
  type MemoryOptions,
  memoryStretches,
  nearestWithin,
  nextStop,
  positionOf,
  qualityOf,
  reachOf,
  roundShare,
  shareAt,
  sliderSteps,
  snappedShare,
  steppedShare,
  stops,
} from "../../renderer/view/budget.js";
import { formatPercent } from "../../renderer/view/format.js";
import { ladder } from "../eval/overview.js";
import { documentSummary, model } from "./support.js";

const kept = (share: number, more: Partial<MemoryOptions> = {}): MemoryOptions => ({
  budget: `${share}%`,
  policy: "dynamickv",
  ...more,
});
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

describe("the slider's words", () => {
  const usual = measured.stops.filter(({ kvType }) => kvType === measured.kvType);

  it("stand at the budgets that were measured, at the whole cache, and nowhere else", () => {
    expect(stops.map(({ share }) => `${share}%`)).toEqual([...usual.map(({ budget }) => budget).toReversed(), "100%"]);
    expect(stops.filter(({ recommended }) => recommended).map(({ share }) => `${share}%`)).toEqual([
      measured.recommended,
    ]);
  });

  it("are the evidence's, with its figures", () => {
    for (const { budget, kvType, words, agreement, documents } of measured.stops) {
      const share = Number.parseFloat(budget);
      const quality = qualityOf(share, kept(1, { kvType: kvType as KvType }));
      if (kvType === measured.kvType) expect(qualityOf(share, kept(1))).toEqual(quality);
      expect(quality.words).toBe(words);
      expect(quality.figures).toContain(formatPercent(Math.round(100 * agreement)));
      expect(quality.figures).toContain(`documents: ${documents}`);
    }
  });

  it("are there for every rung of the evidence's ladder, in English as it has them", () => {
    expect(locales.en.quality).toEqual(Object.fromEntries(ladder.map(({ words }) => [words, words])));
  });

  it.each<[string, number, Partial<MemoryOptions>]>([
    ["a budget between two that were measured", 12, {}],
    ["a budget below them", 1.7, {}],
    ["another policy", 25, { policy: "snapkv" }],
    ["all entries in fewer bits", 100, { kvType: "q8_0" }],
  ])("do not guess for %s", (_, share, more) => {
    expect(qualityOf(share, kept(share, more))).toEqual({ words: "quality not measured" });
  });

  it("say of the whole cache that nothing is left out", () => {
    expect(qualityOf(100, kept(100)).words).toBe("nothing left out");
    expect(qualityOf(6.9, kept(6.9, { policy: "full" })).words).toBe("nothing left out");
  });

  it("say of an answer that the whole cache checks how often its words are the full cache's", () => {
    const { words, figures } = qualityOf(1.7, kept(1.7), true);
    expect(words).toBe("answers as with all of them");
    expect(figures).toContain(formatPercent(agreements.checked));
    expect(agreements.checked).toBeGreaterThan(agreements.draft);
    expect(agreements.draft).toBeGreaterThan(agreements.off);
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
    const places = [leastShare, ...stops.map(({ share }) => share)];
    for (const [index, share] of places.entries()) {
      expect(nextStop(share, 1)).toBe(places[index + 1] ?? 100);
      expect(nextStop(share, -1)).toBe(places[index - 1] ?? leastShare);
    }
    expect(nextStop(99, 1)).toBe(100);
  });

  it("keep shares to one decimal within the slider", () => {
    expect([roundShare(0.2), roundShare(6.94), roundShare(250)]).toEqual([1, 6.9, 100]);
  });
});

describe("the figures", () => {
  // 6,100 tokens x 30 layers x 3 KV heads x 2 rows x 64 values x 2 bytes
  const full = 6_100 * 30 * 3 * 2 * 64 * 2;
  const at = (share: number, more?: Partial<MemoryOptions>) =>
    budgetFigures(model, documentSummary(), kept(share, more));

  it("are exact for the whole prompt", () => {
    expect(at(25)).toMatchObject({ promptTokens: 6_100, fullBytes: full, bytes: full / 4, tokensPerLayer: 1_525 });
  });

  it("never exceed the share, and grow with it", () => {
    fc.assert(
      fc.property(shares, shares, (one, other) => {
        const [less, more] = one < other ? [one, other] : [other, one];
        expect(at(less).bytes).toBeLessThanOrEqual(at(more).bytes);
        expect(at(less).bytes).toBeLessThanOrEqual((full * less) / 100 + 1e-3);
        expect(at(less).memory.total).toBeLessThanOrEqual(at(more).memory.total);
      }),
      { numRuns: 30 },
    );
  });

  it("are the full cache's when everything is kept", () => {
    const everything = at(100, { policy: "full" });
    expect(everything).toMatchObject({ bytes: full });
    expect(everything.memory.reading).toBeGreaterThan(full);
  });

  it("keep more tokens in the same bytes when entries are smaller", () => {
    expect(at(25, { kvType: "q8_0" }).tokensPerLayer).toBeGreaterThan(1.8 * at(25).tokensPerLayer);
    expect(at(25, { kvType: "q8_0" }).bytes).toBeLessThanOrEqual(at(25).bytes);
  });

  it("say what takes the memory, wherever the layers lie", () => {
    for (const gpuLayers of [0, 10, 30, 31]) {
      const { memory, gpuBytes } = budgetFigures({ ...model, gpuLayers }, documentSummary(), kept(25));
      expect(memory.weights + memory.computing + memory.reading).toBeCloseTo(memory.total, 0);
      for (const part of [memory.weights, memory.computing, memory.reading]) expect(part).toBeGreaterThanOrEqual(0);
      expect(gpuBytes > 0).toBe(gpuLayers > 0);
    }
    expect(at(25).memory.weights).toBe(model.weightsBytes);
  });
});

describe("what fits", () => {
  const document = documentSummary();
  const bytesAt = (share: number) => budgetFigures(model, document, kept(share)).memory.total;

  it("begins above what the instruction takes, less of it when entries are smaller", () => {
    const { least, most } = reachOf(model, document, kept(25), undefined);
    expect(budgetFigures(model, document, kept(least)).tokensPerLayer).toBeGreaterThan(100);
    expect(most).toBe(100);
    expect(reachOf(model, document, kept(25, { kvType: "q4_0" }), undefined).least).toBeLessThan(least / 2);
  });

  it("ends at the largest share that the free memory holds, to a tenth of a percent", () => {
    fc.assert(
      fc.property(fc.integer({ min: 30, max: 990 }), (tenths) => {
        const free = bytesAt(tenths / 10);
        const { most = 0 } = reachOf(model, document, kept(25), free);
        expect(most).toBeGreaterThanOrEqual(tenths / 10);
        expect(bytesAt(most)).toBeLessThanOrEqual(free);
        expect(bytesAt(Math.round(most * 10 + 1) / 10)).toBeGreaterThan(free);
      }),
      { numRuns: 10 },
    );
    expect(reachOf(model, document, kept(25), 2 ** 20).most).toBeUndefined();
  });

  it("has a nearest place for every other one", () => {
    expect(nearestWithin(50, { least: 2, most: 34 })).toBe(34);
    expect(nearestWithin(1, { least: 2, most: 34 })).toBe(2);
    expect(nearestWithin(20, { least: 2, most: 34 })).toBe(20);
    expect(nearestWithin(20, { least: 2, most: undefined })).toBeUndefined();
    expect(nearestWithin(20, { least: 9, most: 5 })).toBeUndefined();
  });
});

describe("the memory bar", () => {
  const bytes = fc.integer({ min: 0, max: 2 ** 34 });

  it("holds all that the computer has and no more, but for what is missing", () => {
    fc.assert(
      fc.property(bytes, bytes, bytes, bytes, bytes, (weights, computing, reading, used, available) => {
        const total = weights + computing + reading;
        const machine = { totalBytes: used + available, availableBytes: available };
        const stretches = memoryStretches({ weights, computing, reading, total }, machine);
        const of = (kind: string) => stretches.find((one) => one.kind === kind)?.bytes ?? 0;
        const inside = stretches.filter(({ kind }) => kind !== "over").reduce((sum, one) => sum + one.drawn, 0);
        expect(inside).toBe(machine.totalBytes);
        expect(of("over")).toBe(Math.max(0, total - available));
        expect(of("free")).toBe(Math.max(0, available - total));
        expect(of("system")).toBe(used);
        expect([of("weights"), of("computing"), of("reading")]).toEqual([weights, computing, reading]);
      }),
    );
  });
});

it("counts the parts of a document that the model cannot read whole, and gives the figures of a full one", () => {
  expect(leastParts(model, documentSummary("d", 8_092))).toBe(1);
  expect(leastParts(model, documentSummary("d", 8_093))).toBe(2);
  const long = documentSummary("d", 80_000);
  expect(leastParts(model, long)).toBe(10);
  expect(budgetFigures(model, long, kept(25))).toMatchObject({ parts: 10, promptTokens: 8_192 });
  expect(reachOf(model, long, kept(25), undefined).least).toBe(Math.ceil((1000 * 101) / 8_192) / 10);
});
