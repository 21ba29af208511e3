import { describe, expect, it } from "vitest";
import { readMarkdown } from "../../core/documents/markdown.js";
import { SECTION_CHARACTERS } from "../../core/documents/sections.js";
import { readText } from "../../core/documents/text.js";
import { sourceOf } from "./folder.js";

const utf8 = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => readText(sourceOf("/a/log.txt", bytes));
const markdown = (content: string, path = "/a/b.md") => readMarkdown(sourceOf(path, utf8(content)));
const texts = ({ pages }: { pages: readonly { text: string }[] }) => pages.map((page) => page.text);

describe("readText", () => {
  it("makes a page of each form feed's part and keeps the rest as it is", () => {
    expect(text(utf8("one\n  two\f\n \fthree\n"))).toEqual({
      path: "/a/log.txt",
      title: "log",
      kind: "text",
      unit: "page",
      pages: [
        { number: 1, text: "one\n  two", reading: { how: "text" } },
        { number: 2, text: "", reading: { how: "empty" } },
        { number: 3, text: "three\n", reading: { how: "text" } },
      ],
      warnings: [],
    });
  });

  it("cuts a long text without form feeds into sections between paragraphs, and loses no word", () => {
    const paragraph = (n: number) => `Paragraph ${n}. ${"The tide turned at four. ".repeat(30)}`.trim();
    const whole = Array.from({ length: 40 }, (_, n) => paragraph(n)).join("\n\n");
    const document = text(utf8(whole));
    expect(document.unit).toBe("section");
    expect(texts(document).join("\n\n")).toBe(whole);
    expect(document.pages.length).toBeGreaterThan(5);
    for (const page of document.pages) expect(page.text.length).toBeLessThanOrEqual(SECTION_CHARACTERS);
  });

  it("cuts a paragraph longer than a section between its sentences, and one without any anywhere but in a character", () => {
    const sentences = "It rained again on the pier. ".repeat(500).trim();
    for (const part of texts(text(utf8(sentences)))) expect(part).toMatch(/^It rained.*pier\.$/);
    const one = "🚢".repeat(SECTION_CHARACTERS);
    expect(texts(text(utf8(one))).join("")).toBe(one);
    expect(texts(text(utf8(one))).every((part) => /^(?:🚢)+$/u.test(part))).toBe(true);
  });

  it("writes every line end as a line feed", () => {
    expect(texts(text(utf8("a\r\nb\rc\nd")))).toEqual(["a\nb\nc\nd"]);
  });
});

describe("readText in any encoding", () => {
  const sample = "Größe 5 €";

  it.each([
    ["UTF-8", utf8(sample)],
    ["UTF-8 with a mark", utf8(`\ufeff${sample}`)],
    ["UTF-16 little-endian", new Uint8Array(Buffer.from(`\ufeff${sample}`, "utf16le"))],
    ["UTF-16 big-endian", new Uint8Array(Buffer.from(`\ufeff${sample}`, "utf16le").swap16())],
    ["UTF-16 little-endian without a mark", new Uint8Array(Buffer.from(sample, "utf16le"))],
    ["UTF-16 big-endian without a mark", new Uint8Array(Buffer.from(sample, "utf16le").swap16())],
  ])("reads %s without a warning", (_, bytes) => {
    expect(text(bytes)).toMatchObject({ pages: [{ text: sample }], warnings: [] });
  });

  const chinese = "港口的疏浚工程从今年春天开始，一直持续到夏末。费用比预算高了一些。";
  const japanese = "港の浚渫は今年の春に始まり、夏の終わりまで続きました。費用は予算より少し高くなりました。";
  const russian = "Дноуглубление гавани началось весной и продолжалось до конца лета. Расходы оказались выше сметы.";

  // Whole sentences: letters are told by their frequencies.
  it.each([
    ["shift_jis", japanese],
    ["euc-jp", japanese],
    ["gb18030", chinese],
    ["big5", "港口的疏浚工程從今年春天開始，一直持續到夏末。費用比預算高了一些。"],
    ["euc-kr", "항구의 준설은 올해 봄에 시작되어 여름이 끝날 때까지 계속되었습니다. 비용은 예산보다 조금 높았습니다."],
    ["windows-1251", russian],
    ["koi8-r", russian],
    ["windows-1253", "Η εκβάθυνση του λιμανιού άρχισε την άνοιξη και συνεχίστηκε μέχρι το τέλος του καλοκαιριού."],
    ["windows-1255", "העמקת הנמל החלה באביב ונמשכה עד סוף הקיץ. העלויות היו מעט גבוהות מהתקציב."],
    ["windows-1256", "بدأ تعميق الميناء في الربيع واستمر حتى نهاية الصيف. وكانت التكاليف أعلى قليلا من الميزانية."],
    ["windows-1250", "Prohlubování přístavu začalo na jaře a trvalo až do konce léta. Náklady byly o něco vyšší."],
  ])("reads %s and says which encoding it took the file for", (encoding, content) => {
    const document = text(encoded(content, encoding));
    expect(texts(document)).toEqual([content]);
    expect(document.warnings).toEqual([expect.stringContaining("not UTF-8")]);
  });

  it("reads what is not UTF-8 by its letters and says so", () => {
    const bytes = Uint8Array.from([0x47, 0x72, 0xf6, 0xdf, 0x65, 0x20, 0x35, 0x20, 0x80, 0x20, 0x93, 0x61, 0x94]);
    const document = text(bytes);
    expect(texts(document)).toEqual(["Größe 5 € “a”"]);
    expect(document.warnings).toEqual([expect.stringContaining("windows-1252")]);
  });

  it("says when UTF-16 is broken", () => {
    const document = text(Uint8Array.from([0xff, 0xfe, 0x61, 0x00, 0x00, 0xd8, 0x62, 0x00]));
    expect(texts(document)).toEqual(["a\ufffdb"]);
    expect(document.warnings).toEqual([expect.stringContaining("UTF-16")]);
  });
});

describe("readMarkdown", () => {
  it("makes a section of each heading, keeps the marks, and takes the title from the first", () => {
    const document = markdown("intro\n\n# The *year* ##\n## In short\n\n- one\n\n## Costs\n\nHigh.\n");
    expect(document).toMatchObject({ kind: "markdown", unit: "section", title: "The *year*" });
    expect(document.pages.map(({ text, label }) => [label, text])).toEqual([
      [undefined, "intro"],
      ["The *year*", "# The *year* ##\n\n## In short\n\n- one"],
      ["Costs", "## Costs\n\nHigh."],
    ]);
  });

  it("takes no comment in a code fence for a heading", () => {
    const code = "```sh\n# no heading\n\nls\n```";
    expect(texts(markdown(`# One\n\n${code}\n\n# Two\n\nEnd.`))).toEqual([`# One\n\n${code}`, "# Two\n\nEnd."]);
  });

  it("is titled by its file when it has no heading", () => {
    expect(markdown("#hashtag", "/a/minutes.md").title).toBe("minutes");
  });
});

/** The text in an encoding that Node can only read: each character's bytes are found by reading all there are. */
function encoded(content: string, encoding: string): Uint8Array {
  const decoder = new TextDecoder(encoding);
  const bytes = new Map<string, readonly number[]>();
  for (let first = 0xff; first >= 0; first--) {
    for (let second = 0xff; second >= 0x40; second--)
      bytes.set(decoder.decode(Uint8Array.of(first, second)), [first, second]);
  }
  for (let single = 0; single < 0x100; single++) bytes.set(decoder.decode(Uint8Array.of(single)), [single]);
  return Uint8Array.from([...content].flatMap((character) => bytes.get(character) as readonly number[]));
}
