import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PrecisError } from "../../core/errors.js";
import { type Reaim, runOptionsSchema } from "../../core/summarize/options.js";
import { largestShare, type PlanOptions, planRun, planWithin } from "../../core/summarize/plan.js";
import { workOf } from "../../core/summarize/speed.js";
import { fakeModel } from "../support/fake-engine.js";

const prompt = { tokens: 7500, headTokens: 20, windowTokens: 40 };
const options = { budget: "6.9%", policy: "dynamickv" } as const;
const takes = (budget: string) => planRun(fakeModel, prompt, 300, { ...options, budget }).estimate.devices.memory;

describe("planRun", () => {
  test("keeps everything with the policy that keeps everything, whatever the budget", () => {
    const plan = planRun(fakeModel, prompt, 300, { budget: "1%", policy: "full" });
    expect(plan.budget.entriesTotal).toBe(7500 * 30);
    expect(plan.estimate.retainedKvBytes).toBe(plan.estimate.fullKvBytes);
  });

  test("takes smaller entries for the same budget's bytes", () => {
    const plan = planRun(fakeModel, prompt, 300, { ...options, kvType: "q4_0" });
    expect(plan.budget.bytes).toBeLessThanOrEqual(0.069 * plan.estimate.fullKvBytes);
    expect(plan.budget.tokensPerLayer).toBeGreaterThan(3.5 * 517);
  });
});

describe("how kept entries are stored when nobody says", () => {
  const storedAs = (more: Partial<PlanOptions>, gpuLayers = 0) =>
    planRun({ ...fakeModel, gpuLayers }, prompt, 300, { ...options, ...more }).kvType;

  test("is in fewer bits where they answer alone", () => {
    expect(storedAs({ reaim: "off" })).toBe("q8_0");
    expect(storedAs({ reaim: "draft" })).toBe("q8_0");
    expect(storedAs({ reading: "fast" })).toBe("q8_0");
    expect(storedAs({}, 30)).toBe("q8_0");
  });

  test("is exact where the whole cache checks the answer, and where nothing is left out", () => {
    expect(storedAs({})).toBe("f16");
    expect(storedAs({ policy: "full", budget: "1%" })).toBe("f16");
    expect(storedAs({ reaim: "off", budget: "100%" })).toBe("f16");
    expect(storedAs({ reaim: "off", budget: "99%" })).toBe("q8_0");
    expect(storedAs({ reaim: "off", budget: "7500" })).toBe("f16");
  });

  test("is as asked for", () => {
    expect(storedAs({ kvType: "q4_0" })).toBe("q4_0");
    expect(storedAs({ kvType: "f16", reaim: "off" })).toBe("f16");
  });
});

describe("fast reading", () => {
  test("takes no more memory, less work by half, and nothing of a policy that keeps everything", () => {
    const [thorough, fast] = ([undefined, "fast"] as const).map((reading) =>
      planRun(fakeModel, prompt, 300, { ...options, reading }),
    );
    expect(thorough?.propagation).toBeUndefined();
    expect(fast?.propagation).toBeDefined();
    expect(fast?.estimate.peakKvBytes).toBeLessThanOrEqual(thorough?.estimate.peakKvBytes as number);
    const ratio = workOf(fakeModel, 8192, 0, "fast").read / workOf(fakeModel, 8192, 0).read;
    expect(ratio).toBeGreaterThan(0.3);
    expect(ratio).toBeLessThan(0.5);
    const wrong = { ...options, length: "short", seed: 1, temperature: 0, policy: "full", reading: "fast" } as const;
    expect(runOptionsSchema.safeParse(wrong).error?.issues[0]?.path).toEqual(["reading"]);
  });
});

describe("a run that does not fit", () => {
  test("is refused with the largest budget that would, and that one is not refused", () => {
    const available = takes("10%");
    let error: unknown;
    try {
      planWithin(fakeModel, prompt, 300, { ...options, budget: "50%" }, available);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: "out-of-memory" });
    const [budget = ""] = (error as PrecisError).next?.match(/[\d.]+%/) ?? [];
    expect(Number.parseFloat(budget)).toBeCloseTo(10, 0);
    expect(() => planWithin(fakeModel, prompt, 300, { ...options, budget }, available)).not.toThrow();
  });

  test("names no budget when even the least does not fit, and another policy when this one keeps everything", () => {
    const refused = (policy: "full" | "dynamickv", available: number) => {
      try {
        planWithin(fakeModel, prompt, 300, { budget: "50%", policy }, available);
      } catch (error) {
        return (error as PrecisError).next;
      }
      return undefined;
    };
    expect(refused("dynamickv", 1000)).toMatch(/^No budget makes it fit/);
    expect(refused("full", takes("10%"))).toMatch(/policy/);
    expect(refused("dynamickv", Number.MAX_SAFE_INTEGER)).toBeUndefined();
  });

  test("the largest share fits, and the next tenth does not", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 * 2 ** 20 }), (available) => {
        const share = largestShare(fakeModel, prompt, 300, options, available);
        if (share === undefined) expect(takes("1%")).toBeGreaterThan(available);
        else {
          expect(takes(`${share}%`)).toBeLessThanOrEqual(available);
          if (share < 100) expect(takes(`${Math.round(share * 10 + 1) / 10}%`)).toBeGreaterThan(available);
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe("whether the cache follows the answer", () => {
  const planned = (changed: object, model = fakeModel) => {
    const { reaim, notFollowed, estimate } = planRun(model, prompt, 300, {
      budget: "25%",
      policy: "dynamickv",
      ...changed,
    });
    return { reaim, notFollowed, disk: estimate.diskBytes > 0 };
  };

  test("is as asked for, and checked when nothing is said", () => {
    expect(planned({})).toEqual({ reaim: "checked", notFollowed: undefined, disk: true });
    expect(planned({ reaim: "draft" })).toMatchObject({ reaim: "draft", disk: true });
    expect(planned({ reaim: "off" })).toEqual({ reaim: "off", notFollowed: undefined, disk: false });
    expect(planned({ policy: "snapkv" })).toMatchObject({ reaim: "checked" });
  });

  test.each([
    [{ policy: "full" }, /everything is kept/],
    [{ reading: "fast" }, /read fast/],
    [{ policy: "streaming-llm" }, /streaming-llm/],
    [{ policy: "cake" }, /cake/],
  ])("is not, where it cannot: %o", (changed, why) => {
    const { reaim, notFollowed, disk } = planned({ ...changed, reaim: "checked" });
    expect({ reaim, disk }).toEqual({ reaim: "off", disk: false });
    expect(notFollowed).toMatch(why);
  });

  test("is not with layers on a GPU", () => {
    expect(planned({}, { ...fakeModel, gpuLayers: 4 }).notFollowed).toMatch(/GPU/);
  });

  test("hidden states wait as they are where it does, as long as they take 256 MiB at most", () => {
    const waiting = (tokens: number, reaim: Reaim) => {
      const { hiddenType, estimate } = planRun(fakeModel, { ...prompt, tokens }, 300, { ...options, reaim });
      return [hiddenType, estimate.hiddenBytes];
    };
    const row = 4 * fakeModel.embeddingSize;
    const most = Math.floor(2 ** 28 / row);
    expect(waiting(most, "checked")).toEqual(["f32", most * row]);
    expect(waiting(most, "draft")).toEqual(["f32", most * row]);
    expect(waiting(most, "off")).toEqual(["f16", (most * row) / 2]);
    expect(waiting(most + 1, "checked")).toEqual(["f16", ((most + 1) * row) / 2]);
  });
});
