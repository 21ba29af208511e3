import { describe, expect, it } from "vitest";
import { termReader } from "../../core/citations/terms.js";

function keys(text: string): string[] {
  const found: string[] = [];
  termReader()(text, (key, start, end) => {
    expect(end).toBeGreaterThan(start);
    expect(end).toBeLessThanOrEqual(text.length);
    found.push(key);
  });
  return found;
}

const same = (one: string, other: string) => expect(keys(one)).toEqual(keys(other));

describe("terms", () => {
  it("are words without case, accents, or what an apostrophe cuts off", () => {
    expect(keys("Harbour's Häfen, Straße; l'eau")).toEqual(["harbour", "hafen", "strasse", "eau"]);
  });

  it("have one key for a number, however it is written", () => {
    same("1,550,000", "1.55");
    same("1.550.000", "1 550 000");
    same("1,550", "1.55");
    same("15,2", "15.2");
    same("655,000", "655");
    same("thirty-four", "34");
    same("vierunddreißig", "34");
    same("zwölf", "twelve");
    same("８４", "84");
    same("9".repeat(400), "9".repeat(400));
    expect(keys("0")).toHaveLength(1);
    expect(keys("50")).not.toEqual(keys("5"));
  });

  it("keep the parts of a date apart, and two years together", () => {
    expect(keys("14.03.2025")).toEqual(["#14", "#3", "#2.025"]);
    same("2024/25", "2024–25");
    expect(keys("2024/25")).toHaveLength(1);
  });

  it("count ten thousands where a language does", () => {
    expect(keys("3万")[0]).toBe(keys("30,000")[0]);
    expect(keys("3, 3万")).toEqual(["#3", "#30", "万"]);
  });

  it("are pairs of characters where words are not set apart", () => {
    expect(keys("売上高は4%増")).toEqual(["売上", "上高", "高は", "#4", "増"]);
    expect(keys("Precisは")).toEqual(["precis", "は"]);
  });
});
