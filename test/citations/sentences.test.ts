import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sentencesOf } from "../../core/citations/sentences.js";

const cut = (text: string) => sentencesOf(text).map(({ start, end }) => text.slice(start, end));

describe("sentencesOf", () => {
  it("keeps markup with the sentence that it marks, and leaves out marks of lists and what claims nothing", () => {
    const text = [
      "# The year",
      "",
      "**The port grew.** It *did.* _Much._ (So it says.)",
      "",
      "- One point. Another",
      "- a point that",
      "  goes on",
      "> 2. quoted",
      "",
      "**What is next**",
      "---",
      "The end",
    ].join("\n");
    expect(cut(text)).toEqual([
      "**The port grew.**",
      "It *did.*",
      "_Much._",
      "(So it says.)",
      "One point.",
      "Another",
      "a point that\n  goes on",
      "quoted",
      "The end",
    ]);
  });

  it.each([
    ["Dr. Moussavi came. She stayed.", ["Dr. Moussavi came.", "She stayed."]],
    ["It was led by J. Smith. He left block A. Nobody followed.", 3],
    ["Am 3. Mai 2024 kam er. Es waren 12. Danach ging er.", 3],
    ["It cost £1.5 million, i.e. more. Why?", 2],
    ["Siehe Art. 5 Abs. 2. Er gilt.", 2],
    ["売上高は38億円だった。利益は減った。", ["売上高は38億円だった。", "利益は減った。"]],
    ["क्या हुआ? कुछ नहीं।", 2],
    ["…\n\n***\n", []],
  ])("%s", (text, expected) => {
    if (typeof expected === "number") expect(cut(text)).toHaveLength(expected);
    else expect(cut(text)).toEqual(expected);
  });

  it("gives stretches in order that begin and end with more than space, whatever the text", () => {
    const pieces = fc.constantFrom(
      "A b. ",
      "**",
      "_",
      "- ",
      "\n",
      "\n\n",
      "# h\n",
      "1. ",
      "。",
      "Dr. ",
      "x",
      "“",
      "|",
      "```",
    );
    const texts = fc.oneof(
      fc.string(),
      fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(texts, (text) => {
        let last = 0;
        for (const { start, end } of sentencesOf(text)) {
          expect(start).toBeGreaterThanOrEqual(last);
          const sentence = text.slice(start, end);
          expect(sentence).not.toBe("");
          expect(sentence.trim()).toBe(sentence);
          last = end;
        }
        expect(last).toBeLessThanOrEqual(text.length);
      }),
    );
  });
});
