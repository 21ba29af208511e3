import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { askedFor, excerpt, indexable, searchOf } from "../../core/library/words.js";

const search = (query: string) => searchOf(askedFor(query));
const marked = (text: string, query: string) =>
  excerpt(indexable(text), askedFor(query))
    .map(({ text: piece, found }) => (found ? `[${piece}]` : piece))
    .join("");

describe("a search", () => {
  it.each([
    ["harbour dredg", '"harbour" AND "dredg"*'],
    ["harbour ", '"harbour"'],
    ['"north arm" wall ', '"north arm" AND "wall"'],
    ['"north ar', '"north ar"'],
    ["a", '"a"'],
    ["NEAR(x y) OR -z*", '"NEAR(x" AND "y)" AND "OR" AND "-z*"*'],
    ["港湾", '"港\u200b湾"*'],
    [' "" * - ', ""],
  ])("for %j is %s", (query, wanted) => expect(search(query)).toBe(wanted));
});

describe("an excerpt", () => {
  it("marks what was asked for, whatever its case and accents, as whole words", () => {
    expect(marked("Größe und grosse Höhe, GRÖßE und hohes", "hohe ")).toBe("Größe und grosse [Höhe], GRÖßE und hohes");
    expect(marked("The Dredging of dredgers, undredged", "dredg")).toBe("The [Dredg]ing of [dredg]ers, undredged");
    expect(marked("東京港の改修", "港の")).toBe("東京[港の]改修");
  });

  it("is about the first place, cut between words", () => {
    const text = `${"before ".repeat(40)}wall ${"after ".repeat(60)}`;
    const found = marked(text, "wall ");
    expect(found).toMatch(/^… (before )+\[wall\]( after)+ …$/);
    expect(found.length).toBeLessThan(250);
  });

  it("is the beginning when the words are in the title alone", () => {
    expect(marked("One two three", "harbour ")).toBe("One two three");
  });

  it("shows of a short text every character, once and in order", () => {
    const text = fc.string({ unit: fc.constantFrom("wall", " ", "é", "港", "\u0002", "W", ".", "😀"), maxLength: 25 });
    fc.assert(
      fc.property(text, fc.constantFrom("wall", "港", "é w"), (words, query) => {
        const shown = excerpt(indexable(words), askedFor(query)).map((piece) => piece.text);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is taken out
        expect(shown.join("")).toBe(words.replace(/\u0002/g, " ").replace(/\s+/g, " "));
      }),
    );
  });
});
