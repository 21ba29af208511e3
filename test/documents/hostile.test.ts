/** Files that want more time or memory than any honest one, or that want to act: each is read or refused within bounds. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { deflateSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDocument } from "../../core/documents/open.js";
import { at, pagesPdf } from "./awkward.js";
import { temporaryFolder } from "./folder.js";
import { binaryPdf } from "./pdfs.js";
import { docxParts, epubParts, odtParts, type Parts, pptxParts, shape, wordParagraph, zipOf } from "./zips.js";

const MIB = 2 ** 20;
const write = temporaryFolder();
const open = async (content: string | Uint8Array) => openDocument(await write("document.bin", content));
const openZip = async (parts: Parts) => open(await zipOf(parts));

let started = 0;
let before = 0;
beforeEach(() => {
  started = performance.now();
  before = process.memoryUsage().rss;
});
/** Memory that the process did not have before, pages it never gives back included. */
const grown = () => (process.memoryUsage().rss - before) / MIB;

describe("ZIP bombs", () => {
  const blank = " ".repeat(65 * MIB);

  it.each([
    ["DOCX", () => docxParts(wordParagraph(blank))],
    ["ODT", () => odtParts(`<text:p>${blank}</text:p>`)],
    ["EPUB", () => epubParts([["a.xhtml", `<p>${blank}</p>`]])],
    ["PPTX", () => pptxParts([{ shapes: shape(blank) }])],
  ])(
    "%s: is refused before it is unpacked",
    async (_, parts) => {
      const bomb = await zipOf(parts());
      expect(bomb.length).toBeLessThan(MIB);
      const path = await write("bomb.bin", bomb);
      started = performance.now();
      before = process.memoryUsage().rss;
      await expect(openDocument(path)).rejects.toMatchObject({
        code: "file-damaged",
        message: expect.stringContaining("would unpack to more than 64 MiB"),
      });
      expect(performance.now() - started).toBeLessThan(2000);
      expect(grown()).toBeLessThan(100);
    },
    30_000,
  );

  it("whose directory lies about its sizes is refused when they turn out", async () => {
    const honest = await zipOf(docxParts(wordParagraph(blank)));
    const size = Buffer.alloc(4);
    // Wherever the true size stands, in the local header and in the directory, a small one is put.
    const lying = Buffer.from(honest);
    for (let position = 0; position < lying.length - 4; position++) {
      const value = lying.readUInt32LE(position);
      if (value < 65 * MIB || value > 66 * MIB) continue;
      size.writeUInt32LE(1000);
      size.copy(lying, position);
    }
    await expect(open(lying)).rejects.toMatchObject({ code: "file-damaged" });
    expect(grown()).toBeLessThan(200);
  }, 30_000);

  it("of very many files is refused", async () => {
    const files = Object.fromEntries(Array.from({ length: 21_000 }, (_, n) => [`word/media/${n}.xml`, "x"]));
    await expect(openZip({ ...docxParts(""), ...files })).rejects.toMatchObject({
      code: "file-damaged",
      message: expect.stringMatching(/it holds 210\d\d files/),
    });
  }, 30_000);

  it("of many chapters names those that went beyond the bounds, and reads the others", async () => {
    const chapter = `<p>Tide.</p>${" ".repeat(20 * MIB)}`;
    const document = await openZip(epubParts(["a", "b", "c", "d"].map((name) => [`${name}.xhtml`, chapter])));
    expect(document.pages.map((page) => page.text)).toEqual(["Tide.", "Tide.", "Tide.", ""]);
    expect(document.warnings).toEqual([expect.stringMatching(/^Not read: chapter 4, because its text would unpack/)]);
  }, 30_000);
});

describe("XML that wants to grow", () => {
  const laughs = Array.from({ length: 9 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`).join("");
  const doctype = `<!DOCTYPE x [<!ENTITY l0 "ha"><!ENTITY file SYSTEM "file:///etc/passwd">${laughs}]>`;
  const put = (parts: Parts, name: string) => ({
    ...parts,
    [name]: String(parts[name]).replace(/^(<\?xml[^>]*\?>)(<!DOCTYPE[^>]*>)?/, `$1${doctype}`),
  });

  it.each([
    ["DOCX", put(docxParts(wordParagraph("Dry &l9; &file; land")), "word/document.xml")],
    ["ODT", put(odtParts("<text:p>Dry &l9; &file; land</text:p>"), "content.xml")],
    ["EPUB", put(epubParts([["a.xhtml", "<p>Dry &l9; &file; land</p>"]]), "OEBPS/text/a.xhtml")],
    ["PPTX", put(pptxParts([{ shapes: shape("Dry &l9; &file; land") }]), "ppt/slides/slide1.xml")],
  ])("%s: entities are neither expanded nor fetched", async (_, parts) => {
    const outcome = await openZip(parts).catch((error: unknown) => error);
    if (outcome instanceof Error) {
      expect(outcome).toMatchObject({ code: "file-damaged" });
    } else {
      const { text } = (outcome as Awaited<ReturnType<typeof openDocument>>).pages[0]!;
      expect(text).toMatch(/^Dry .{0,30}land$/);
      expect(text).not.toMatch(/haha|root:/);
    }
    expect(performance.now() - started).toBeLessThan(3000);
  });

  it.each([
    ["DOCX", () => openZip(docxParts(`${"<w:smartTag>".repeat(200_000)}x${"</w:smartTag>".repeat(200_000)}`))],
    ["ODT", () => openZip(odtParts(`${"<text:section>".repeat(200_000)}<text:p>x</text:p>`))],
    ["HTML", () => open(`<html><body>${"<div>".repeat(200_000)}x`)],
  ])(
    "%s: nested 200,000 deep is refused",
    async (_, attempt) => {
      await expect(attempt()).rejects.toMatchObject({ code: expect.stringMatching(/^(file-damaged|no-text-layer)$/) });
      expect(performance.now() - started).toBeLessThan(10_000);
    },
    30_000,
  );
});

describe("HTML that wants to act", () => {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? "");
    response.end("<p>Fetched.</p>");
  });
  beforeEach(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
  afterEach(() => new Promise<unknown>((resolve) => server.close(resolve)));

  it("runs no script and fetches nothing", async () => {
    const host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const paragraphs = Array.from(
      { length: 10 },
      (_, n) => `<p>Paragraph ${n} says that the tide, as ever, turned at four.</p>`,
    );
    const document = await open(`<!DOCTYPE html><html><head><title>Tide</title><base href="${host}/">
      <link rel="stylesheet" href="${host}/style.css"><script src="${host}/a.js"></script><script>globalThis.precisWasHere = 1;</script>
      <meta http-equiv="refresh" content="0;url=${host}/b"></head><body onload="globalThis.precisWasHere = 2"><article>${paragraphs.join("")}
      <img src="${host}/c.png" onerror="globalThis.precisWasHere = 3"><iframe src="${host}/d"></iframe><object data="${host}/e"></object>
      <svg><image href="${host}/f"/><script>globalThis.precisWasHere = 4</script></svg><p>End.</p></article></body></html>`);
    const text = document.pages.map((page) => page.text).join("\n\n");
    expect(text).toContain("Paragraph 9 says");
    expect(text).not.toMatch(/precisWasHere|Fetched/);
    expect(globalThis).not.toHaveProperty("precisWasHere");
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(requests).toEqual([]);
  });

  it("of 300,000 elements is read whole and soon", async () => {
    const document = await open(`<html><body>${"<p>One <b>more</b> line.</p>".repeat(100_000)}`);
    expect(document.pages.reduce((sum, page) => sum + page.text.split("\n\n").length, 0)).toBe(100_000);
    expect(performance.now() - started).toBeLessThan(10_000);
  }, 30_000);
});

describe("large PDFs", () => {
  it("of 1,000 pages are read whole, in bounded time and memory", async () => {
    const pages = Array.from({ length: 1000 }, (_, n) => ({
      content: Array.from({ length: 30 }, (_, line) =>
        at(72, 760 - 20 * line, `Line ${line} of sheet number ${n} tells of tides.`),
      ).join(""),
    }));
    const pdf = pagesPdf(pages);
    before = process.memoryUsage().rss;
    const document = await open(pdf);
    expect(document.pages.map((page) => page.text.match(/number (\d+)/)?.[1])).toEqual(pages.map((_, n) => String(n)));
    expect(document.pages.every((page) => page.reading.how === "text")).toBe(true);
    expect(performance.now() - started).toBeLessThan(30_000);
    expect(grown()).toBeLessThan(400);
  }, 60_000);

  it("full of pictures beside their text are read without decoding those", async () => {
    const pixels = Buffer.alloc(3 * MIB, 0x5a);
    const pdf = binaryPdf(
      Array.from({ length: 64 }, (_, n) => ({
        content: `${at(72, 700, `Picture ${n} shows the harbour at low tide, seen from the old tower, with its ships and its cranes.`)}${at(72, 680, "It was taken in the spring of that year by a pilot.")}q 400 0 0 400 72 72 cm /I Do Q`,
        picture: { width: 1024, height: 1024, colours: "/DeviceRGB", bits: 8, data: pixels },
      })),
    );
    expect(pdf.length).toBeGreaterThan(190 * MIB);
    const path = await write("pictures.pdf", pdf);
    started = performance.now();
    before = process.memoryUsage().rss;
    const document = await openDocument(path);
    expect(document.pages.map((page) => page.text.match(/Picture (\d+)/)?.[1])).toEqual(
      Array.from({ length: 64 }, (_, n) => String(n)),
    );
    expect(performance.now() - started).toBeLessThan(10_000);
    // The file itself, as read and as pdf.js holds it.
    expect(grown()).toBeLessThan(600);
  }, 60_000);

  it("with a damaged picture name its page", async () => {
    const damaged = {
      width: 100,
      height: 100,
      colours: "/DeviceRGB",
      bits: 8,
      data: Buffer.from("no JPEG"),
      filter: "/DCTDecode",
    } as const;
    const content = "q 595 0 0 842 0 0 cm /I Do Q";
    const pdf = binaryPdf([
      { content: at(72, 700, "A page of text."), picture: undefined },
      { content, picture: damaged },
    ]);
    expect((await open(pdf)).warnings).toEqual([
      expect.stringMatching(/^Not read: page 2, because its picture is damaged/),
    ]);
  }, 60_000);

  it("with a picture that nobody can hold in memory name its page", async () => {
    const pdf = binaryPdf([
      { content: at(72, 700, "A page of text."), picture: undefined },
      {
        content: "q 595 0 0 842 0 0 cm /I Do Q",
        picture: {
          width: 40_000,
          height: 40_000,
          colours: "/DeviceGray",
          bits: 1,
          data: deflateSync(Buffer.alloc(200e6)),
          filter: "/FlateDecode",
        },
      },
    ]);
    expect(pdf.length).toBeLessThan(MIB);
    before = process.memoryUsage().rss;
    const document = await open(pdf);
    expect(document.pages.map((page) => page.reading)).toEqual([
      { how: "text" },
      { how: "failed", reason: expect.stringContaining("picture") },
    ]);
    expect(grown()).toBeLessThan(1500);
  }, 60_000);
});
