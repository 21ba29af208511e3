import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { entryBytes } from "../../core/engine/kv.js";
import { PrecisError } from "../../core/errors.js";
import { defaultBudget, defaultGroupLayers, estimate, fullKvBytes, parseBudget } from "../../core/estimate/estimate.js";
import { fakeModel } from "../support/fake-engine.js";

const MIB = 2 ** 20;

describe("fullKvBytes", () => {
  test("is the figure measured for the default model at 7,500 tokens", () => {
    expect(fullKvBytes(fakeModel, 7500) / MIB).toBeCloseTo(164.8, 1);
  });

  test("is 4 GiB for an 8B model at 32k tokens", () => {
    expect(fullKvBytes({ fullLayers: 32, kvHeads: 8, keySize: 128, valueSize: 128 }, 32_768)).toBe(4 * 2 ** 30);
  });
});

describe("parseBudget", () => {
  test("reads a share of the full cache", () => {
    const budget = parseBudget("6.9%", fakeModel, 7500);
    expect(budget.entriesTotal).toBe(Math.floor(0.069 * 7500 * 30));
    expect(budget.tokensPerLayer).toBe(517);
    expect(budget.bytes).toBe(budget.entriesTotal * 3 * 256);
    expect(budget.requested).toBe("6.9%");
  });

  test("reads tokens per layer and bytes", () => {
    expect(parseBudget("512", fakeModel, 7500)).toMatchObject({ entriesTotal: 512 * 30, tokensPerLayer: 512 });
    expect(parseBudget("20 MiB", fakeModel, 7500).entriesTotal).toBe(Math.floor((20 * MIB) / (3 * 256)));
    expect(parseBudget("20mb", fakeModel, 7500).entriesTotal).toBe(Math.floor(20e6 / (3 * 256)));
  });

  test("loses no entry to floating point", () => {
    for (const percent of [7, 29, 57, 58]) {
      expect(parseBudget(`${percent}%`, fakeModel, 100).entriesTotal).toBe(percent * 30);
    }
  });

  test("is never more than the full cache", () => {
    for (const text of ["100%", "9000", "300GiB"]) {
      expect(parseBudget(text, fakeModel, 700).bytes).toBe(fullKvBytes(fakeModel, 700));
    }
  });

  test("is an upper bound, exact to one entry of every head, whatever the model", () => {
    const shape = fc.record({
      fullLayers: fc.integer({ min: 1, max: 96 }),
      kvHeads: fc.integer({ min: 1, max: 32 }),
      keySize: fc.constantFrom(64, 80, 128, 256),
      valueSize: fc.constantFrom(64, 80, 128, 256),
    });
    fc.assert(
      fc.property(
        shape,
        fc.integer({ min: 2_000, max: 200_000 }),
        fc.integer({ min: 10, max: 1000 }),
        (model, tokens, mille) => {
          const full = fullKvBytes(model, tokens);
          const asked = (full * mille) / 1000;
          for (const text of [`${mille / 10}%`, `${Math.ceil(asked)} B`]) {
            const { bytes, entriesTotal } = parseBudget(text, model, tokens);
            expect(bytes).toBe(entriesTotal * model.kvHeads * entryBytes(model));
            expect(bytes).toBeLessThanOrEqual(Math.ceil(asked) + 1e-3);
            // One entry of every head is the finest step there is.
            expect(Math.ceil(asked) - bytes).toBeLessThanOrEqual(model.kvHeads * entryBytes(model) + 1);
          }
        },
      ),
    );
  });

  test.each(["", "0", "0%", "101%", "-5%", "1.5", "abc", "5 parsecs", "5%%", "1e3", "NaN", "Infinity"])(
    "refuses %j",
    (text) => {
      expect(() => parseBudget(text, fakeModel, 7500)).toThrow(expect.objectContaining({ code: "budget-invalid" }));
    },
  );

  test("refuses what leaves no room beside the instruction, and names a budget that works", () => {
    let error: unknown;
    try {
      parseBudget("40", fakeModel, 7500, 60);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(PrecisError);
    const { code, next } = error as PrecisError;
    expect(code).toBe("budget-too-small");
    const [tokens, percent] = next?.match(/[\d.]+%?/g) ?? [];
    expect(parseBudget(tokens ?? "", fakeModel, 7500, 60).tokensPerLayer).toBe(61);
    expect(parseBudget(percent?.replace(/\.$/, "") ?? "", fakeModel, 7500, 60).tokensPerLayer).toBeGreaterThan(60);
  });

  test("allows the whole of a prompt that is hardly more than its instruction", () => {
    expect(parseBudget("100%", fakeModel, 60, 60).tokensPerLayer).toBe(60);
  });

  test("has a default that it can read", () => {
    expect(parseBudget(defaultBudget, fakeModel, 7500).tokensPerLayer).toBe(1875);
  });
});

describe("a budget in smaller entries", () => {
  test("keeps 3.5 times the tokens in q4_0 for the same bytes, and never more bytes than asked for", () => {
    const f16 = parseBudget("6.9%", fakeModel, 7500);
    const q4 = parseBudget("6.9%", fakeModel, 7500, 0, "q4_0");
    expect(q4.entriesTotal / f16.entriesTotal).toBeGreaterThan(3.5);
    expect(q4.bytes).toBeLessThanOrEqual(0.069 * fullKvBytes(fakeModel, 7500));
    expect(parseBudget("512", fakeModel, 7500, 0, "q4_0").tokensPerLayer).toBe(512);
  });
});

describe("estimate", () => {
  const run = {
    promptTokens: 7500,
    answerTokens: 100,
    keepsAll: false,
    retainedEntries: 15_525,
    heldEntries: new Array<number>(30).fill(16_000),
    kvType: "f16",
    groupLayers: 1,
  } as const;
  const row = fakeModel.kvHeads * entryBytes(fakeModel);

  test("adds the layer that is read, the hidden states in f16, and what the policy holds", () => {
    const figures = estimate(fakeModel, run);
    expect(figures.retainedKvBytes).toBe(15_525 * row);
    expect(figures.stagingBytes).toBe(fullKvBytes(fakeModel, 7500) / 30);
    expect(figures.hiddenBytes).toBe(7500 * 576 * 2);
    expect(figures.peakKvBytes).toBe(figures.stagingBytes + figures.hiddenBytes + 16_000 * row);
    expect(estimate(fakeModel, { ...run, hiddenType: "f32" }).peakKvBytes).toBe(figures.peakKvBytes + 7500 * 576 * 2);
    expect(figures.totalBytes).toBeGreaterThan(fakeModel.weightsBytes + figures.computeBytes + figures.peakKvBytes);
    expect(figures.devices).toEqual({ memory: figures.totalBytes, gpu: 0 });
  });

  test("counts what a policy asks to be shown beside scores, of a layer more than is read at a time", () => {
    const keys = fakeModel.kvHeads * fakeModel.keySize * 4 * 7500;
    for (const groupLayers of [1, 4]) {
      const plain = estimate(fakeModel, { ...run, groupLayers }).computeBytes;
      const shown = estimate(fakeModel, { ...run, groupLayers, needs: ["keys"] }).computeBytes;
      expect(shown - plain).toBe((groupLayers + 1) * keys);
    }
  });

  test("finds the group at whose end staging and what is held by then are most", () => {
    const heldEntries = Array.from({ length: 30 }, (_, layer) => 500 * (layer + 1));
    const reading = (more: object) => {
      const { peakKvBytes, hiddenBytes } = estimate(fakeModel, {
        ...run,
        retainedEntries: 0,
        answerTokens: 0,
        heldEntries,
        ...more,
      });
      return (peakKvBytes - hiddenBytes) / row;
    };
    expect(reading({})).toBe(7500 + 15_000);
    // the last of eight groups has two layers only
    expect(reading({ groupLayers: 4 })).toBe(4 * 7500 + 14_000);
    const passedOn = (layers: number, tokens: number) =>
      Array.from({ length: 30 }, (_, layer) => (layer < layers ? 7500 : tokens));
    expect(reading({ layerTokens: passedOn(10, 2000) })).toBe(2000 + 15_000);
    expect(reading({ layerTokens: passedOn(25, 2000) })).toBe(7500 + 12_500);
    expect(reading({ groupLayers: 4, layerTokens: passedOn(25, 2000) })).toBe(4 * 7500 + 14_000);
  });

  test("has a mask of a part of the batch where a long document is read on a GPU", () => {
    const run = (promptTokens: number) => ({
      promptTokens,
      answerTokens: 0,
      keepsAll: false,
      retainedEntries: 1000,
      heldEntries: Array.from({ length: 30 }, () => 1000),
      kvType: "f16" as const,
      groupLayers: 1,
    });
    const mask = (promptTokens: number) => {
      const compute = (gpuLayers: number) => estimate({ ...fakeModel, gpuLayers }, run(promptTokens)).computeBytes;
      return 2 * 512 * promptTokens - (compute(0) - compute(31));
    };
    expect(mask(65_536) / MIB).toBeCloseTo(64);
    expect(mask(131_072) / MIB).toBeCloseTo(64);
    expect(mask(262_144) / MIB).toBeCloseTo(128);
  });

  test("stages as many layers as are read at a time, and passes nothing on when that is all of them", () => {
    expect(estimate(fakeModel, { ...run, groupLayers: 4 }).stagingBytes).toBe((4 * fullKvBytes(fakeModel, 7500)) / 30);
    expect(estimate(fakeModel, { ...run, groupLayers: 30 }).hiddenBytes).toBe(0);
  });

  test("counts the answer: with a short document the peak comes while it is written", () => {
    const short = {
      ...run,
      promptTokens: 500,
      retainedEntries: 3_000,
      heldEntries: new Array<number>(30).fill(3_000),
      answerTokens: 700,
    };
    const { peakKvBytes } = estimate(fakeModel, short);
    expect(peakKvBytes).toBeGreaterThan((3_000 + 700 * 30) * row);
    expect(peakKvBytes).toBeCloseTo((3_000 + 768 * 30) * row * (1 + 1 / 30), 0);
  });

  test("counts the answer's rows as the cache grows: 256 at a time, or all when they are fewer", () => {
    const short = { ...run, promptTokens: 500, retainedEntries: 3_000, heldEntries: new Array<number>(30).fill(3_000) };
    const rows = (answerTokens: number) => estimate(fakeModel, { ...short, answerTokens }).peakKvBytes;
    expect(rows(300)).toBe(rows(512));
    expect(rows(256)).toBeLessThan(rows(257));
    expect(rows(255)).toBeLessThan(rows(256));
  });

  test("holds the whole cache, in its own type, when everything is kept", () => {
    const full = { ...run, keepsAll: true, promptTokens: 7680, retainedEntries: 7680 * 30 };
    const keepsAll = { ...full, answerTokens: 0 };
    const whole = estimate(fakeModel, keepsAll);
    expect(whole.retainedKvBytes).toBe(whole.fullKvBytes);
    expect(whole.peakKvBytes / whole.fullKvBytes).toBeCloseTo(1 + 1 / 30);
    // its cells come in steps of 256
    const grown = estimate(fakeModel, { ...full, answerTokens: 1 });
    expect(grown.peakKvBytes / whole.peakKvBytes).toBeCloseTo(7936 / 7680, 10);
    const small = estimate(fakeModel, { ...keepsAll, kvType: "q4_0" });
    expect(small.retainedKvBytes / whole.retainedKvBytes).toBe(18 / 64);
  });

  test("reads as many layers at a time as hold 8 MiB, four at most, and on a GPU as many as hold 512 MiB", () => {
    expect(defaultGroupLayers(fakeModel, 7500)).toBe(1);
    expect(defaultGroupLayers(fakeModel, 4000)).toBe(2);
    expect(defaultGroupLayers(fakeModel, 1000)).toBe(4);
    expect(defaultGroupLayers({ ...fakeModel, layers: 3, fullLayers: 3 }, 1000)).toBe(3);
    expect(defaultGroupLayers({ ...fakeModel, gpuLayers: 31 }, 7500)).toBe(30);
    expect(defaultGroupLayers({ ...fakeModel, gpuLayers: 31 }, 175_000)).toBe(3);
    expect(defaultGroupLayers({ ...fakeModel, gpuLayers: 31 }, 2_000_000)).toBe(1);
  });

  test("puts what belongs to a layer where the layer lies", () => {
    const onGpu = estimate({ ...fakeModel, gpuLayers: 31 }, run);
    expect(onGpu.devices.gpu + onGpu.devices.memory).toBe(onGpu.totalBytes);
    expect(onGpu.devices.gpu).toBe(fakeModel.weightsBytes + onGpu.peakKvBytes + onGpu.computeBytes);
    const half = estimate({ ...fakeModel, gpuLayers: 15 }, run);
    expect(half.devices.gpu).toBeLessThan(onGpu.devices.gpu);
    expect(half.devices.gpu).toBeGreaterThan(0);
  });

  test.each(["cuda", "vulkan"] as const)(
    "counts what %s itself takes on both sides, whether layers lie there or not",
    (gpu) => {
      for (const gpuLayers of [0, 15, 31]) {
        const without = estimate({ ...fakeModel, gpuLayers }, run);
        const device = estimate({ ...fakeModel, gpuLayers, gpu }, run);
        expect(device.devices.gpu).toBeGreaterThan(without.devices.gpu);
        expect(device.devices.memory).toBeGreaterThan(without.devices.memory);
        expect(device.totalBytes).toBe(device.devices.gpu + device.devices.memory);
      }
    },
  );

  test("counts CUDA's matrix library where a policy needs it, on a GPU that holds no layer, too", () => {
    for (const gpuLayers of [0, 31]) {
      const model = { ...fakeModel, gpuLayers };
      const needs = ["expectedLogits"] as const;
      const own = (gpu?: "cuda" | "vulkan") => {
        const less = estimate({ ...model, gpu }, run).devices;
        const more = estimate({ ...model, gpu }, { ...run, needs }).devices;
        return { memory: more.memory - less.memory, gpu: more.gpu - less.gpu };
      };
      expect(own("cuda").gpu - own().gpu).toBe(104 * 2 ** 20);
      expect(own("cuda").memory - own().memory).toBe(gpuLayers === 0 ? 0 : 100 * 2 ** 20);
      expect(own("vulkan")).toEqual(own());
    }
  });
});
