import { describe, expect, it } from "vitest";
import { speak } from "../../electron/language.js";
import {
  columnOfBytes,
  errorWords,
  fileName,
  formatPages,
  formatPercent,
  formatRemaining,
  joinSentences,
  plural,
  scanLanguageName,
} from "../../renderer/view/format.js";

describe("a time to come", () => {
  it.each([
    [200, "1 s"],
    [7_400, "7 s"],
    [12_400, "10 s"],
    [43_000, "45 s"],
    [58_000, "1 min"],
    [83_000, "1 min 20 s"],
    [119_000, "2 min"],
    [296_000, "5 min"],
    [1_234_000, "21 min"],
  ])("of %i ms is written %s", (milliseconds, words) => expect(formatRemaining(milliseconds)).toBe(words));
});

it("writes pages as ranges", () => {
  expect(formatPages([1, 2, 3, 4, 6, 9, 10])).toBe("1–4, 6, 9–10");
  expect(formatPages([])).toBe("");
});

it("counts nouns", () => {
  expect([plural(1, "page"), plural(1200, "page")]).toEqual(["1 page", "1,200 pages"]);
});

it("writes percentages with the decimals that they have", () => {
  expect([formatPercent(25), formatPercent(6.9)]).toEqual(["25 %", "6.9 %"]);
});

it("joins sentences as the language does, and leaves out those that are not there", () => {
  expect(joinSentences("It rains.", "", "It pours.")).toBe("It rains. It pours.");
  expect(joinSentences("", "")).toBe("");
  speak("ja");
  expect(joinSentences("雨です。", "土砂降りです。")).toBe("雨です。土砂降りです。");
  speak("en");
});

it("says an error whole, in the window's language", () => {
  const error = { code: "file-empty", message: '"a.pdf" is empty.', next: "Choose another file." };
  expect(errorWords(error)).toBe('"a.pdf" is empty. Choose another file.');
  speak("ja");
  expect(errorWords(error)).toBe("「a.pdf」は空です。別のファイルを選んでください。");
  expect(errorWords({ code: "internal", message: "Cancelled." })).toBe("キャンセルしました。");
  speak("en");
});

describe("bytes in a column", () => {
  const MiB = 2 ** 20;
  it.each([
    [
      [1.2 * MiB, 411 * 1024, 0],
      ["1,228.8 KiB", "411.0 KiB", "0.0 KiB"],
    ],
    [
      [11.8 * MiB, 132 * 1024, 36 * 1024, 0],
      ["11.8 MiB", "0.1 MiB", "< 0.1 MiB", "0.0 MiB"],
    ],
    [
      [4 * 1024 * MiB, 3 * MiB],
      ["4,096.0 MiB", "3.0 MiB"],
    ],
    [[], []],
  ])("all have one unit, whatever the largest is: %j", (column, words) =>
    expect(column.map(columnOfBytes(column))).toEqual(words),
  );
});

it("names files of both kinds of systems", () => {
  expect([fileName("/a/b.pdf"), fileName("C:\\a\\b.pdf")]).toEqual(["b.pdf", "b.pdf"]);
});

it.each([
  ["eng", "English"],
  ["deu", "German"],
  ["chi_sim", "Simplified Chinese"],
  ["aze_cyrl", "Azerbaijani (Cyrillic)"],
  ["chi_sim_vert", "chi_sim_vert"],
])("names Tesseract's language %s", (code, name) => expect(scanLanguageName(code)).toBe(name));
