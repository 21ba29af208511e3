import { describe, expect, it } from "vitest";
import { readMarkdown } from "../../core/documents/markdown.js";
import { readText } from "../../core/documents/text.js";

const utf8 = (text: string) => new TextEncoder().encode(text);

describe("readText", () => {
  it("makes a page of each form feed's part and keeps the rest as it is", () => {
    const document = readText("/a/log.txt", utf8("one\n  two\f\n \fthree\n"));
    expect(document).toEqual({
      path: "/a/log.txt",
      title: "log",
      kind: "text",
      pages: [
        { number: 1, text: "one\n  two" },
        { number: 2, text: "" },
        { number: 3, text: "three\n" },
      ],
      warnings: [],
    });
  });

  it("writes every line end as a line feed", () => {
    expect(readText("a", utf8("a\r\nb\rc\nd")).pages[0]?.text).toBe("a\nb\nc\nd");
  });

  it.each([
    ["UTF-8", utf8("Größe 5 €")],
    ["UTF-8 with a mark", utf8("\ufeffGröße 5 €")],
    ["UTF-16 little-endian", new Uint8Array(Buffer.from("\ufeffGröße 5 €", "utf16le"))],
    ["UTF-16 big-endian", new Uint8Array(Buffer.from("\ufeffGröße 5 €", "utf16le").swap16())],
  ])("reads %s without a warning", (_, bytes) => {
    expect(readText("a", bytes)).toMatchObject({ pages: [{ text: "Größe 5 €" }], warnings: [] });
  });

  it("reads what is not UTF-8 as Windows-1252 and says so", () => {
    const bytes = Uint8Array.from([0x47, 0x72, 0xf6, 0xdf, 0x65, 0x20, 0x35, 0x20, 0x80, 0x20, 0x93, 0x61, 0x94]);
    const document = readText("a", bytes);
    expect(document.pages[0]?.text).toBe("Größe 5 € “a”");
    expect(document.warnings).toEqual([expect.stringContaining("Windows-1252")]);
  });

  it("says when UTF-16 is broken", () => {
    const document = readText("a", Uint8Array.from([0xff, 0xfe, 0x61, 0x00, 0x00, 0xd8, 0x62, 0x00]));
    expect(document.pages[0]?.text).toBe("a\ufffdb");
    expect(document.warnings).toHaveLength(1);
  });
});

describe("readMarkdown", () => {
  it("keeps the text with its marks and takes the title from the first heading", () => {
    const text = "intro\n\n# The *year* ##\n\n- one\n";
    expect(readMarkdown("/a/b.md", utf8(text))).toMatchObject({
      kind: "markdown",
      title: "The *year*",
      pages: [{ number: 1, text }],
    });
  });

  it("is titled by its file when it has no heading", () => {
    expect(readMarkdown("/a/minutes.md", utf8("#hashtag")).title).toBe("minutes");
  });
});
