import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  comparable,
  findAll,
  findPassage,
  firstHit,
  foundWords,
  nextHit,
  ordinalOf,
  timesIn,
} from "../../renderer/view/find.js";

const words = (text: string, stretches: readonly { start: number; end: number }[]) =>
  stretches.map(({ start, end }) => text.slice(start, end));
const letters = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");

describe("the search in a page's words", () => {
  it.each([
    ["case", "The Harbour and the harbour", "HARBOUR", ["Harbour", "harbour"]],
    ["accents", "Zażółć café naïve", "cafe", ["café"]],
    ["a word broken at a line's end", "the founda-\ntion of it", "foundation", ["founda-\ntion"]],
    ["a line's end between words", "outer\nbreakwater", "outer breakwater", ["outer\nbreakwater"]],
    ["ligatures", "the ﬁrst oﬃce", "first office", ["ﬁrst oﬃce"]],
    ["a line's end in Japanese", "図書\n館の本", "図書館", ["図書\n館"]],
    ["letters that take two units", "𠮷野家の𠮷", "𠮷", ["𠮷", "𠮷"]],
  ])("sees no difference in %s", (_what, text, query, found) => {
    expect(words(text, findAll(text, query))).toEqual(found);
  });

  it("tells か from が, and pre- and post-war from one word", () => {
    expect(findAll("かがか", "か")).toHaveLength(2);
    expect(findAll("pre- and post-war", "preand")).toEqual([]);
  });

  it.each(["", " ", "-"])("finds nothing for %j", (query) => expect(findAll("a - b", query)).toEqual([]));

  it("counts as many places as it finds, and each is what was looked for", () => {
    const text = fc.string({ unit: fc.constantFrom(..."abAé -\n日がﬁ\u00ad"), maxLength: 60 });
    fc.assert(
      fc.property(text, text, (page, query) => {
        const found = findAll(page, query);
        expect(timesIn(comparable(page), comparable(query))).toBe(found.length);
        for (const [index, { start, end }] of found.entries()) {
          expect(start).toBeGreaterThanOrEqual(found[index - 1]?.start ?? 0);
          expect(end).toBeGreaterThan(start);
        }
      }),
    );
  });
});

describe("a passage on its page", () => {
  const passage =
    "The campaign cost £2.07 million, or £6.51 for each cubic metre. Fuel was cheaper, but the charter rate rose.";

  it("is found however its lines are broken", () => {
    const word = fc.string({ unit: fc.constantFrom(..."abcdefghij"), minLength: 1, maxLength: 9 });
    const broken = fc.array(fc.tuple(word, fc.constantFrom(" ", "\n", "  \n", "-\n")), {
      minLength: 12,
      maxLength: 40,
    });
    fc.assert(
      fc.property(broken, fc.string(), fc.string(), (lines, before, behind) => {
        const drawn = lines.map(([text, end]) => text + end).join("");
        const asRead = lines.map(([text, end]) => text + (end === "-\n" ? "" : " ")).join("");
        const page = `${before}\n${drawn}\n${behind}`;
        const found = words(page, findPassage(page, asRead)).map(letters).join("");
        expect(found.length).toBeGreaterThanOrEqual(letters(asRead).length / 2);
        if (letters(before + behind) === "") expect(found).toBe(letters(asRead));
      }),
    );
  });

  it("is found around a footer that stands in its midst", () => {
    const page =
      "The campaign cost £2.07 million, or £6.51 for each\nAnnual Review  Page 3 of 11\ncubic metre. Fuel was cheaper, but\nthe charter rate rose. Then";
    expect(words(page, findPassage(page, passage))).toEqual([
      "The campaign cost £2.07 million, or £6.51 for each",
      "cubic metre. Fuel was cheaper, but\nthe charter rate rose",
    ]);
  });

  it.each([
    ["is not there", "The gauge at the lighthouse shows spring tides of 4.1 metres, and has done since 1953."],
    [
      "is there by less than half",
      "The charter rate rose. Nothing else of what was said about it stands on this page.",
    ],
    ["has no words", " … "],
  ])("is not marked when it %s", (_why, sought) => {
    expect(findPassage(passage, sought)).toEqual([]);
  });

  it("is found when it is shorter than what must usually stand together", () => {
    expect(words("See Table 4.\nThe end", findPassage("See Table 4.\nThe end", "Table 4"))).toEqual(["Table 4"]);
  });
});

describe("the words of a snippet that are looked for in the document", () => {
  const piece = (text: string, found = false) => ({ text, found });

  it("are the longest series of them, as it stands there", () => {
    const launch = [
      piece("… the "),
      piece("electric", true),
      piece(" "),
      piece("Launch", true),
      piece(" lies beside "),
    ];
    expect(foundWords([piece("Electric", true), piece(" carriers, "), ...launch])).toBe("electric Launch");
  });

  it("are none where a snippet has none", () => {
    expect(foundWords([piece("The quay wall moves.")])).toBe("");
    expect(foundWords([])).toBe("");
  });
});

describe("going through what was found", () => {
  const counts = [0, 2, 0, 0, 1];

  it("begins at the page that is read, and goes round only when all was searched", () => {
    expect(firstHit(counts, 1, false)).toEqual({ page: 2, index: 0 });
    expect(firstHit(counts, 3, false)).toEqual({ page: 5, index: 0 });
    expect(firstHit([0, 2], 3, false)).toBeUndefined();
    expect(firstHit([0, 2], 3, true)).toEqual({ page: 2, index: 0 });
    expect(firstHit([0, 0], 1, true)).toBeUndefined();
  });

  it("passes every place once in each direction, and counts along", () => {
    let hit = firstHit(counts, 1, true)!;
    const passed = [0, 1, 2, 3].map(() => {
      const at = ordinalOf(counts, hit);
      hit = nextHit(counts, hit, 1);
      return at;
    });
    expect(passed).toEqual([1, 2, 3, 1]);
    expect(nextHit(counts, { page: 2, index: 0 }, -1)).toEqual({ page: 5, index: 0 });
    expect(nextHit(counts, { page: 5, index: 0 }, -1)).toEqual({ page: 2, index: 1 });
  });
});
