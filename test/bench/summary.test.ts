import { describe, expect, it } from "vitest";
import { type BenchModel, sides } from "./cases.js";
import { chart } from "./chart.js";
import { measurement } from "./measurement.js";
import type { Outcome } from "./one.js";
import { charts, page, table } from "./report.js";
import { type Measured, median, summarize } from "./summary.js";

const measured = (
  id: string,
  round: number,
  outcome: Outcome,
  tokens = 1024,
  model: BenchModel = "default",
): Measured => ({
  one: { set: "reading", model, tokens, round, side: sides.find((side) => side.id === id)! },
  outcome,
});
const facts = { machine: "2 x CPU, 2026-01-01", decode: 100, rounds: 3, measured: 3, of: 3 };

describe("the median", () => {
  it("is the middle, or the mean of the two in the middle", () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([8, 2, 4, 6])).toBe(5);
    expect(() => median([])).toThrow(RangeError);
  });
});

describe("the summary of a bench", () => {
  it("takes ratios within a round, where a slow moment slows both", () => {
    const { rows } = summarize([
      measured("stock-f16", 1, measurement({ readMs: 100, decodeTokensPerSecond: 10 })),
      measured("stock-f16", 2, measurement({ readMs: 400, decodeTokensPerSecond: 2 })),
      measured("full", 1, measurement({ readMs: 110, decodeTokensPerSecond: 40 })),
      measured("full", 2, measurement({ readMs: 440, decodeTokensPerSecond: 8 })),
    ]);
    expect(rows.find(({ side }) => side === "full")).toMatchObject({
      rounds: 2,
      readAgainstStock: 1.1,
      decodeAgainstStock: 4,
      figures: { readMs: 275 },
    });
  });

  it("has no ratio where stock was not measured in the same round", () => {
    const { rows } = summarize([measured("stock-f16", 1, measurement()), measured("full", 2, measurement())]);
    expect(rows.find(({ side }) => side === "full")?.readAgainstStock).toBeUndefined();
  });

  it("says how each figure grew from the shortest to the longest length, per model", () => {
    const { growth } = summarize([
      measured("full", 1, measurement({ kvBytes: 10, readMs: 1 }), 1024),
      measured("full", 1, measurement({ kvBytes: 20, readMs: 3 }), 2048),
      measured("full", 1, measurement({ kvBytes: 80, readMs: 64 }), 8192),
      measured("full", 1, measurement({ kvBytes: 7 }), 16_384, "smollm2-like"),
    ]);
    expect(growth).toHaveLength(1);
    expect(growth[0]).toMatchObject({ model: "default", from: 1024, to: 8192, factors: { kvBytes: 8, readMs: 64 } });
  });
});

describe("the page of a bench", () => {
  const MiB = 2 ** 20;
  const lengths = [1024, 2048];
  const all = lengths.flatMap((tokens) => [
    measured("stock-f16", 1, measurement({ readMs: 1000 }), tokens),
    measured(
      "dynamickv-6.9-f16",
      1,
      measurement({ readMs: 1040, estimatedPeakBytes: 240 * MiB, rssPeakBytes: 250 * MiB }),
      tokens,
    ),
  ]);

  it("shows every side's figures with the estimate's distance from what was measured", () => {
    const text = page("reading", summarize(all), facts);
    const row = text.split("\n").find((line) => line.includes("dynamickv 6.9%"));
    expect(row).toContain("40.0 MiB (25.0%)");
    expect(row).toContain("240.0 MiB (−4.0%)");
    expect(row).toContain("1.04x");
    expect(text).toContain("## 1k tokens");
    expect(text).toContain("## Growth from 1k to 2k tokens");
    expect(text).toContain("2 x CPU, 2026-01-01");
  });

  it("says what is not measured yet, and what cannot be", () => {
    const hole = measured("dynamickv-1.7-f16", 1, { impossible: "It keeps 17 tokens." });
    const text = page("reading", summarize([...all, hole]), { ...facts, measured: 5, of: 36 });
    expect(text).toContain("31 of 36 cases are not measured yet");
    expect(text).toMatch(/dynamickv 1\.7%.*It keeps 17 tokens\./);
  });

  it("names a chart for each figure, and only charts that are written", () => {
    const summary = summarize(all);
    const named = [...page("reading", summary, facts).matchAll(/\]\(([^)]+\.svg)\)/g)].map(([, file]) => file);
    expect(named).toEqual(charts(summary).map(({ file }) => file));
    expect(named).toHaveLength(6);
    for (const { chart: content } of charts(summary)) expect(chart(content)).toContain("precis, dynamickv 6.9%");
  });

  it("has no chart of a single length", () => {
    expect(charts(summarize(all.slice(0, 2)))).toEqual([]);
  });

  it("gives every side a look of its own in the charts", () => {
    const outcome = measurement();
    const [first] = charts(
      summarize(lengths.flatMap((tokens) => sides.map(({ id }) => measured(id, 1, outcome, tokens)))),
    );
    const looks = first!.chart.series.map(({ tone, dash }) => `${tone} ${dash}`);
    expect(new Set(looks).size).toBe(sides.length);
  });
});

describe("a table", () => {
  it("has as many cells in each line, whatever they hold", () => {
    const lines = table(["", "a"], [["x|y", "1"]]).split("\n");
    expect(lines).toEqual(["|  | a |", "| --- | ---: |", "| x\\|y | 1 |"]);
  });
});
