import { describe, expect, it } from "vitest";
import { caseId, parseLength, selectCases, sides } from "./cases.js";

describe("the bench's cases", () => {
  it("are all sides at 1k to 8k on the default model, and more with --long", () => {
    const short = selectCases({ long: false, rounds: 1 });
    expect(short).toHaveLength(4 * sides.length);
    expect(new Set(short.map(({ model }) => model))).toEqual(new Set(["default"]));
    const long = selectCases({ long: true, rounds: 1 }).filter(({ model }) => model !== "default");
    expect(new Set(long.map(({ tokens }) => tokens))).toEqual(new Set([16_384, 32_768]));
  });

  it("are our default alone on whole models of real shapes with --shapes", () => {
    const shaped = selectCases({ shapes: true, rounds: 1 }).filter(({ model }) => model !== "default");
    expect(shaped.map(caseId)).toEqual([
      "llama-3.2-1b-like.8192.dynamickv-6.9-f16.1",
      "llama-3.2-1b-like.32768.dynamickv-6.9-f16.1",
      "llama-3.1-8b-like.8192.dynamickv-6.9-f16.1",
      "llama-3.1-8b-like.32768.dynamickv-6.9-f16.1",
    ]);
  });

  it("are on a page with all that is asked for with them", () => {
    const sets = (selection: object) => [...new Set(selectCases({ rounds: 1, ...selection }).map(({ set }) => set))];
    expect(sets({})).toEqual(["reading"]);
    expect(sets({ long: true, shapes: true })).toEqual(["reading", "long", "shapes"]);
    expect(sets({ shapes: true, model: "llama-3.1-8b-like" })).toEqual(["shapes"]);
  });

  it("have ids of their own, which are file names", () => {
    const ids = selectCases({ long: true, rounds: 3 }).map(caseId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[\w.-]+$/);
  });

  it("take turns within a length, so that every side meets the same machine", () => {
    const order = selectCases({ long: false, rounds: 2, lengths: [1024] });
    expect(order.slice(0, sides.length).map(({ side }) => side)).toEqual(sides);
    expect(order.map(({ round }) => round)).toEqual([...sides.map(() => 1), ...sides.map(() => 2)]);
  });

  it("can be chosen by length and by the beginning of a side's name", () => {
    const chosen = selectCases({ long: false, rounds: 1, lengths: [2048], only: ["stock", "full"] });
    expect(chosen.map(caseId)).toEqual([
      "default.2048.stock-f16.1",
      "default.2048.full.1",
      "default.2048.stock-q8_0.1",
      "default.2048.stock-q4_0.1",
    ]);
  });

  it("are one side where the name is a whole one, though others begin with it", () => {
    const chosen = selectCases({ long: true, rounds: 1, lengths: [32_768], only: ["stock-f16", "dynamickv-6.9-f16"] });
    expect(chosen.map(caseId)).toEqual(["smollm2-like.32768.stock-f16.1", "smollm2-like.32768.dynamickv-6.9-f16.1"]);
  });

  it("can be those of one model", () => {
    const chosen = selectCases({ shapes: true, rounds: 1, model: "llama-3.1-8b-like" });
    expect(chosen.map(caseId)).toEqual([
      "llama-3.1-8b-like.8192.dynamickv-6.9-f16.1",
      "llama-3.1-8b-like.32768.dynamickv-6.9-f16.1",
    ]);
    expect(() => selectCases({ rounds: 1, model: "llama-3.1-8b-like" })).toThrow(/there are default\./);
  });

  it("refuse what they do not know", () => {
    expect(() => selectCases({ long: false, rounds: 1, only: ["stok"] })).toThrow(/"stok".*stock-f16/);
    expect(() => selectCases({ long: false, rounds: 1, lengths: [32_768] })).toThrow(/--long/);
  });
});

describe("a length", () => {
  it("is a number of tokens, or of 1024", () => {
    expect(parseLength("8k")).toBe(8192);
    expect(parseLength("7500")).toBe(7500);
    for (const bad of ["", "0", "-1", "8m", "1.5k"]) expect(() => parseLength(bad)).toThrow(RangeError);
  });
});
