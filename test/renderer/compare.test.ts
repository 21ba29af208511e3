import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StoredRun } from "../../electron/contract.js";
import { difference, runRows } from "../../renderer/view/compare.js";
import { summaryResult } from "../report/fixture.js";

describe("the difference of two texts", () => {
  const own = (pieces: readonly { text: string; own: boolean }[]) =>
    pieces.filter((piece) => piece.own).map(({ text }) => text.trim());

  it("is told by words, in Japanese too", () => {
    const { left, right } = difference("The wall moves by 6 mm.", "The quay wall moves by 8 mm.");
    expect([own(left), own(right)]).toEqual([["6"], ["quay", "8"]]);
    const japanese = difference("東京港の改修は十年かかる。", "横浜港の改修は十年かかる。");
    expect([own(japanese.left).join(""), own(japanese.right).join("")]).toEqual(["東京", "横浜"]);
  });

  it("marks words that follow each other as one, without the space around them", () => {
    const { left, right } = difference(
      "The harbour had a good year. Dredging took less time than planned, and trade grew by a tenth.",
      "The harbour had a good year. Dredging cost 2 million, more per metre than before, and trade grew.",
    );
    expect(left.filter((piece) => piece.own).map(({ text }) => text)).toEqual([
      "took less time",
      "planned",
      "by a tenth",
    ]);
    expect(right.filter((piece) => piece.own).map(({ text }) => text)).toEqual([
      "cost 2 million, more per metre",
      "before",
    ]);
  });

  it("is told by sentences where their words have little in common", () => {
    const left = "The harbour had a good year. The wall at berth 4 moves. Trade grew by a tenth in the year.";
    const right =
      "Ships were fewer than in the year before, and the report asks for a new wall. The wall at berth 4 moves.";
    const both = difference(left, right);
    expect(both.by).toBe("sentence");
    expect(own(both.left)).toEqual(["The harbour had a good year.", "Trade grew by a tenth in the year."]);
    expect(own(both.right)).toEqual(["Ships were fewer than in the year before, and the report asks for a new wall."]);
    expect(difference(left, left.replace("tenth", "fifth"))).toMatchObject({ by: "word" });
  });

  it("leaves both texts whole", () => {
    const text = fc.array(fc.constantFrom("wall ", "moves\n\n", "## ", "6", " mm", ".", "港", " "), { maxLength: 30 });
    fc.assert(
      fc.property(text, text, (one, other) => {
        const { left, right } = difference(one.join(""), other.join(""));
        expect(left.map((piece) => piece.text).join("")).toBe(one.join(""));
        expect(right.map((piece) => piece.text).join("")).toBe(other.join(""));
      }),
    );
  });
});

it("says of a run what was chosen and what it took", () => {
  const options = { budget: "6.9%", policy: "dynamickv", length: "short", seed: 1, temperature: 0 } as const;
  const run: StoredRun = {
    started: 0,
    ended: 65_000,
    options,
    result: summaryResult({ text: "It settled by 41 cm." }),
    answers: [],
  };
  const rows = Object.fromEntries(runRows(run));
  expect(rows.Reading).toMatch(/^thorough/);
  const fast = Object.fromEntries(runRows({ ...run, options: { ...options, reading: "fast" } }));
  expect(fast.Reading).toMatch(/^fast/);
  expect(rows.Memory).toMatch(/^6\.9 % of its notes, /);
  expect(rows).toMatchObject({ Policy: "DynamicKV", Length: "short", Took: "1 min 5 s", Words: "5" });
});
