import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { axisMarks, type Chart, chart, spread } from "./chart.js";

const line = (label: string, ys: number[]): Chart["series"][number] => ({
  label,
  tone: "teal",
  dash: "solid",
  points: ys.map((y, index) => ({ x: 1024 * 2 ** index, y })),
});
const base: Chart = {
  title: "KV & more",
  unit: "bytes",
  x: [
    { value: 1024, label: "1k" },
    { value: 2048, label: "2k" },
  ],
  xTitle: "tokens",
  series: [line("full <all>", [2 ** 20, 2 ** 21])],
};
const heights = (svg: string) => [...svg.matchAll(/<circle[^>]*cy="([\d.]+)"/g)].map(([, y]) => Number(y));

describe("a chart", () => {
  it("draws what doubles with the length at the same slope, wherever it starts", () => {
    const svg = chart({ ...base, series: [line("a", [2 ** 20, 2 ** 21]), line("b", [2 ** 24, 2 ** 25])] });
    const [a1, a2, b1, b2] = heights(svg) as [number, number, number, number];
    expect(a1 - a2).toBeCloseTo(b1 - b2, 0);
    expect(b1).toBeLessThan(a1);
  });

  it("draws percentages evenly from 0 to 100, and refuses others", () => {
    const svg = chart({ ...base, unit: "%", series: [line("a", [0, 50, 100])] });
    const [none, half, all] = heights(svg) as [number, number, number];
    expect(none - half).toBeCloseTo(half - all, 5);
    for (const bad of [-1, 101, Number.NaN]) {
      expect(() => chart({ ...base, unit: "%", series: [line("a", [bad])] })).toThrow(RangeError);
    }
  });

  it("escapes its texts, and has colours for light and dark", () => {
    const svg = chart(base);
    expect(svg).toContain("KV &amp; more");
    expect(svg).toContain("full &lt;all>");
    expect(svg).toContain("prefers-color-scheme:dark");
  });

  it("refuses what a logarithmic axis cannot show", () => {
    for (const bad of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => chart({ ...base, series: [line("a", [bad, 1])] })).toThrow(RangeError);
    }
    expect(() => chart({ ...base, series: [] })).toThrow(RangeError);
  });
});

describe("the marks of an axis", () => {
  it("enclose the values, ascend, and are few", () => {
    const value = fc.double({ min: 1e-3, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(value, value, fc.constantFrom("bytes", "seconds", "tokens/s"), (a, b, unit) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const marks = axisMarks(low, high, unit as Chart["unit"]);
        expect(marks.length).toBeGreaterThanOrEqual(2);
        expect(marks.length).toBeLessThanOrEqual(17);
        expect(marks[0]).toBeLessThanOrEqual(low * 1.000001);
        expect(marks.at(-1)).toBeGreaterThanOrEqual(high * 0.999999);
        expect(marks).toEqual(marks.toSorted((x, y) => x - y));
      }),
    );
  });

  it("are powers of two for bytes", () => {
    expect(axisMarks(3 * 2 ** 20, 20 * 2 ** 20, "bytes")).toEqual([2, 4, 8, 16, 32].map((mib) => mib * 2 ** 20));
  });
});

describe("labels beside lines", () => {
  it("keep their order and their distance, and stay inside when they fit", () => {
    const wanted = fc.array(fc.double({ min: 50, max: 370, noNaN: true }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(wanted, (ys) => {
        const placed = spread(ys, 17, 50, 370);
        const order = ys.map((_, index) => index).toSorted((a, b) => ys[a]! - ys[b]!);
        const sorted = order.map((index) => placed[index]!);
        for (const [index, y] of sorted.slice(1).entries())
          expect(y - sorted[index]!).toBeGreaterThanOrEqual(17 - 1e-6);
        expect(Math.min(...placed)).toBeGreaterThanOrEqual(50 - 1e-6);
        expect(Math.max(...placed)).toBeLessThanOrEqual(370 + 1e-6);
      }),
    );
  });

  it("stay where they are when nothing overlaps", () => {
    expect(spread([300, 100, 200], 17, 50, 370)).toEqual([300, 100, 200]);
  });
});
