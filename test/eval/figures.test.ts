import { describe, expect, it } from "vitest";
import { createPolicy } from "../../core/compression/registry.js";
import { chart } from "../bench/chart.js";
import { type Figures, figures, type Result } from "./figures.js";
import type { Measured, Plan } from "./measure.js";
import { needle } from "./needle/needle.js";
import { ladder, overviewPage, sliderData } from "./overview.js";
import { charts, page } from "./page.js";
import type { QuestionCase } from "./question-cases.js";
import { ablationVariants, fastVariants, ours, policyOf, policyVariants, readerOf, readingOf } from "./variants.js";

const snapkv = policyVariants.find(({ id }) => id === "snapkv")!;
const plan = (found: number): Plan => ({ choice: `${found}`, made: "", chooseMs: 5, scores: { found } });
const result = (id: string, found: number, plans: Measured["plans"], counts = true): Result<QuestionCase> => ({
  one: {
    id,
    document: "",
    options: { length: "short" },
    facts: [["42"]],
    groups: [id === "c" ? "4096 tokens" : "2048 tokens"],
  },
  measured: { full: { found }, counts, tokens: 2000, readMs: 1000, plans },
});
const results = [
  result("a", 1, {
    [`${ours.id} 25%`]: plan(1),
    "snapkv 25%": plan(0),
    "snapkv 6.9%": { impossible: "no room" },
  }),
  result("b", 1, { [`${ours.id} 25%`]: plan(1), "snapkv 25%": plan(1) }),
  result("c", 0, {}, false),
];
const summary = figures(needle, results, [ours, snapkv], ["25%", "6.9%"], 10);

describe("the figures of an evaluation", () => {
  it("count only what the full cache answers, and say how many that is", () => {
    expect(summary).toMatchObject({ tried: 3, counted: 2, of: 10, full: { found: { mean: 1 } } });
    expect(summary.groups.map(({ name, tried, counted }) => [name, tried, counted])).toEqual([
      ["2048 tokens", 2, 2],
      ["4096 tokens", 1, 0],
    ]);
  });

  it("compare with our default case by case, and leave out budgets that hold for no case", () => {
    const [own, other] = summary.rows;
    expect(own?.cells.found).toMatchObject([{ budget: "25%", value: { mean: 1, cases: 2 }, difference: undefined }]);
    expect(other?.cells.found).toMatchObject([{ budget: "25%", value: { mean: 0.5 }, difference: { mean: -0.5 } }]);
    expect(summary.chooseShare).toEqual({ [ours.id]: 0.005, snapkv: 0.005 });
  });

  it("compare what a policy chooses with what ours does, both stored alike", () => {
    const exact = policyVariants.find(({ id }) => id === ours.policy)!;
    const plans = { [`${ours.id} 25%`]: plan(1), [`${exact.id} 25%`]: plan(0.5), "snapkv 25%": plan(0) };
    const both = [result("a", 1, plans), result("b", 1, plans)];
    const { rows } = figures(needle, both, [ours, exact, snapkv], ["25%"], 2);
    const cells = rows.map((row) => row.cells.found?.[0]);
    expect(cells).toMatchObject([
      { difference: undefined, alike: undefined },
      { difference: { mean: -0.5 }, alike: undefined },
      { difference: { mean: -1 }, alike: { mean: -0.5 } },
    ]);
  });

  it("make a page and a chart", () => {
    const text = page(needle, summary, { made: "a model", command: "npm run eval -- needle", split: "Reporting." });
    expect(text).toContain("The full cache answers 2 of 3 cases");
    expect(text).toContain("| snapkv | 50.0 (0.0 to 100.0) | – |");
    expect(text).toContain("7 of 10 cases of a full run are not measured yet");
    expect(charts(needle, summary)).toEqual([]);
    const more = results.map((one) => ({
      ...one,
      measured: { ...one.measured, plans: { ...one.measured.plans, [`${ours.id} 6.9%`]: plan(1) } },
    }));
    const [drawn] = charts(needle, figures(needle, more, [ours, snapkv], ["25%", "6.9%"], 10));
    expect(chart(drawn!.chart)).toContain("kept, of the full cache");
  });
});

describe("the overview", () => {
  const cell = (budget: string, mean: number, difference?: number, cases = 20) => ({
    budget,
    value: { mean, low: mean, high: mean, cases },
    alike: undefined,
    difference:
      difference === undefined ? undefined : { mean: difference, low: difference, high: difference, cases: 20 },
  });
  const base: Figures = { ...summary, budgets: ["50%", "25%", "6.9%"], counted: 20, groups: [], chooseShare: {} };
  const distribution: Figures = {
    ...base,
    rows: [
      {
        variant: ours.id,
        label: ours.label,
        cells: {
          kl: [cell("50%", 0.01), cell("25%", 0.1), cell("6.9%", 0.8)],
          agreement: [cell("50%", 0.97), cell("25%", 0.9), cell("6.9%", 0.55)],
        },
      },
      { variant: "snapkv", label: "snapkv", cells: { kl: [cell("25%", 0.2, 0.1), cell("6.9%", 0.7, -0.1)] } },
      { variant: "h2o", label: "h2o", cells: { kl: [cell("25%", 0.05, -0.05, 19), cell("6.9%", 0.7, -0.1)] } },
      { variant: "keydiff", label: "keydiff", cells: { kl: [cell("25%", 0.05, -0.05, 4)] } },
    ],
  };
  const needles: Figures = {
    ...base,
    rows: [
      {
        variant: ours.id,
        label: ours.label,
        cells: { found: [cell("50%", 1), cell("25%", 0.98), cell("6.9%", 0.9)] },
      },
    ],
  };

  it("recommends the least budget with the best words", () => {
    const { recommended, stops } = sliderData({ distribution, needle: needles });
    expect(stops.map(({ words }) => words)).toEqual([ladder[0].words, ladder[0].words, ladder[2].words]);
    expect(recommended).toBe("25%");
    expect(sliderData({})).toMatchObject({ recommended: undefined, stops: [] });
  });

  it("says in one table who is better where", () => {
    const text = overviewPage({ distribution, needle: needles });
    expect(text).toContain(`| ${ours.label} | 0.01 / 100 % | 0.10 / 98 % | 0.80 / 90 % |`);
    expect(text).toContain("| snapkv | – / – | 0.20 ▼ / – | 0.70 ▲ / – |");
  });

  it("says what the choices alone are worth, where there are enough cases", () => {
    const with6 = (alike: number, cases = 20) => ({
      ...cell("25%", 1, 0.5),
      alike: { mean: alike, low: alike, high: alike, cases },
    });
    const rows = [
      { variant: ours.id, label: ours.label, cells: { kl: [cell("25%", 0.1)] } },
      { variant: "snapkv", label: "snapkv", cells: { kl: [with6(0.25)] } },
      { variant: "h2o", label: "h2o", cells: { kl: [with6(0.25, 5)] } },
    ];
    const text = overviewPage({ distribution: { ...distribution, rows } });
    expect(text).toContain("| snapkv | – / – | +0.25 ▼ / – | – / – |");
    expect(text).toContain("| h2o | – / – | – / – | – / – |");
    expect(overviewPage({ distribution, needle: needles })).not.toContain("alone");
  });

  it("leaves out a mean over fewer cases than ours", () => {
    const text = overviewPage({ distribution, needle: needles });
    expect(text).toContain("| h2o | – / – | – / – | 0.70 ▲ / – |");
    expect(text).not.toContain("keydiff");
  });
});

describe("what is compared", () => {
  it("has ids of its own, our default's choice in front, and settings that policies take", () => {
    expect(policyVariants[0]).toBe(ours);
    for (const variants of [policyVariants, ablationVariants, fastVariants]) {
      expect(variants[0]).toMatchObject({ policy: ours.policy, settings: {} });
      expect(new Set(variants.map(({ id }) => id)).size).toBe(variants.length);
      for (const { id, policy, settings } of variants) {
        expect(id).toMatch(/^[\w.-]+$/);
        expect(createPolicy(policy, settings).keepsAll).toBe(false);
      }
    }
  });

  it("is shown one reading for each reduction, with all that anyone asks for", () => {
    for (const variant of [...policyVariants, ...ablationVariants]) {
      const policy = policyOf(variant);
      const reader = readerOf(readingOf(policy));
      if (policy.reduction !== undefined) expect(reader.reduction).toBe(policy.reduction);
      for (const need of policy.needs ?? []) expect(reader.needs).toContain(need);
    }
  });
});
