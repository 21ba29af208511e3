import { describe, expect, it } from "vitest";
import { linesOf, type TextPiece } from "../../core/documents/pdf-lines.js";
import { paragraphs as join } from "../../core/documents/pdf-paragraphs.js";

const paragraphs = (pieces: readonly TextPiece[]) => join(linesOf(pieces));

function piece(str: string, x: number, y: number, width: number, hasEOL = true): TextPiece {
  return { str, transform: [10, 0, 0, 10, x, y], width, hasEOL, fontName: "f1" };
}

describe("paragraphs", () => {
  it("is empty for a page without text", () => {
    expect(paragraphs([])).toBe("");
    expect(paragraphs([piece(" ", 0, 0, 5), piece("\u0000", 0, 0, 0)])).toBe("");
  });

  it("joins a word broken by a soft hyphen, and drops control characters", () => {
    expect(paragraphs([piece("Har\u00ad", 0, 100, 50), piece("bour\u0000 wall\u0007", 0, 88, 50)])).toBe(
      "Harbour wall",
    );
  });

  it("puts words drawn apart a space apart, and letters drawn one by one together", () => {
    const pieces = [
      piece("H", 0, 100, 6, false),
      piece("igh", 6, 100, 15, false),
      piece("tide", 24, 100, 20, false),
      piece(" ", 44, 100, 3, false),
      piece(" at six", 47, 100, 30),
    ];
    expect(paragraphs(pieces)).toBe("High tide at six");
  });

  it("takes time in proportion to the text, however odd the page", () => {
    const letters = Array.from({ length: 300_000 }, (_, i) => piece("a", i * 5, 100, 5, false));
    const lines = Array.from({ length: 100_000 }, (_, i) => piece("-", 0, -12 * i, 5));
    const quotes = piece(`.${"'".repeat(300_000)}x`, 0, 88, 50);
    const started = performance.now();
    expect(paragraphs(letters)).toHaveLength(300_000);
    expect(paragraphs(lines)).toContain("- -");
    expect(paragraphs([quotes, quotes])).toHaveLength(600_005);
    expect(performance.now() - started).toBeLessThan(8000);
  }, 20_000);
});
