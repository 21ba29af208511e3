import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, describe, expect, it, vi } from "vitest";
import { coverageOf, coverageWarnings } from "../../core/documents/coverage.js";
import { languagesIn } from "../../core/documents/ocr.js";
import { openDocument } from "../../core/documents/open.js";
import { readPdf } from "../../core/documents/pdf.js";
import { sourceOf, temporaryFolder } from "./folder.js";
import { drawnPdf, words } from "./pdfs.js";
import { characterErrorRate, SCANNED_TEXT, type ScanQuality, scanOf } from "./scans.js";

type Draw = Parameters<typeof drawnPdf>[0][number];

const write = temporaryFolder();
const read = (pdf: Buffer, options: Parameters<typeof readPdf>[1] = {}) =>
  readPdf(sourceOf("/docs/scan.pdf", pdf), options);

const sheet =
  (picture: Buffer): Draw =>
  (doc) => {
    doc.image(picture, 0, 0, { width: 595, height: 842 });
  };

const clean: ScanQuality = { dotsPerInch: 300 };
const office: ScanQuality = { dotsPerInch: 200, skew: 0.7, noise: 12, paper: 240, ink: 40, jpeg: 70 };
const fax: ScanQuality = { dotsPerInch: 110, skew: 1.2, noise: 14, paper: 220, ink: 80, jpeg: 50 };
const hopeless: ScanQuality = { dotsPerInch: 30, noise: 60, paper: 190, ink: 130, jpeg: 10 };

describe("scanned pages", () => {
  it.each([
    ["clean at 300 dpi", clean, 0.02],
    ["askew and grainy at 200 dpi", office, 0.02],
    ["like a fax at 110 dpi", fax, 0.05],
  ])(
    "%s are recognised",
    async (_, quality, worst) => {
      const { pages } = await read(await drawnPdf([sheet(scanOf(SCANNED_TEXT, quality))]));
      expect(pages).toHaveLength(1);
      const page = pages[0]!;
      expect(page.reading).toEqual({ how: "ocr", confidence: expect.any(Number) });
      expect(page.reading).toMatchObject({
        confidence: expect.toSatisfy((share: number) => share > 0.8 && share <= 1),
      });
      expect(characterErrorRate(SCANNED_TEXT.join("\n\n"), page.text)).toBeLessThan(worst);
      expect(page.text.split("\n\n")).toHaveLength(SCANNED_TEXT.length);
    },
    120_000,
  );

  it("of a mixed file are the only ones recognised; each page says how it was read", async () => {
    const scanned = sheet(scanOf(SCANNED_TEXT.slice(0, 2), { dotsPerInch: 150 }));
    const stamped: Draw = (doc) => {
      scanned(doc);
      doc.fontSize(8).text("File 4711, sheet 4", 400, 20, { lineBreak: false });
    };
    const blank: Draw = () => undefined;
    const pdf = await drawnPdf([
      words("A cover of text."),
      scanned,
      blank,
      stamped,
      sheet(scanOf(SCANNED_TEXT.slice(0, 2), hopeless)),
    ]);
    const progress: string[] = [];
    const document = await read(pdf, { onProgress: (done, total) => progress.push(`${done}/${total}`) });
    const coverage = coverageOf(document);
    expect(coverage).toMatchObject({
      text: [1],
      ocr: [{ page: 2 }, { page: 4 }],
      empty: [3],
      failed: [{ page: 5, reason: expect.stringContaining("unreadable") }],
    });
    expect(document.pages[1]?.text).toContain("412,600 cubic metres");
    expect(document.pages[3]?.text).toContain("412,600 cubic metres");
    expect(progress).toEqual(["0/5", "1/5", "2/5", "3/5", "4/5", "5/5"]);
    expect(coverageWarnings(coverage)).toEqual([
      expect.stringMatching(
        /^Scanned: the text of pages 2 and 4 was recognised \(OCR\), with a confidence of \d\d % \(lowest \d\d %\)\.$/,
      ),
      expect.stringContaining("No text on page 3"),
      expect.stringMatching(/^Not read: page 5, because its picture is unreadable/),
    ]);
  }, 120_000);

  it.each([90, 180])(
    "that lie turned by %d degrees are recognised all the same",
    async (degrees) => {
      const pdf = await drawnPdf([sheet(scanOf(SCANNED_TEXT.slice(0, 1), { dotsPerInch: 150 }))]);
      const turned = Buffer.from(pdf.toString("latin1").replace("/MediaBox", `/Rotate ${degrees} /MediaBox`), "latin1");
      const { pages } = await read(turned);
      expect(pages[0]?.reading).toMatchObject({ how: "ocr" });
      expect(characterErrorRate(SCANNED_TEXT[0]!, pages[0]?.text ?? "")).toBeLessThan(0.02);
    },
    120_000,
  );
});

describe("languages of scanned pages", () => {
  it("are those of a folder's data and the one that comes along", async () => {
    const folder = join(dirname(await write("any.txt", "Text.")), "data");
    await mkdir(folder);
    for (const name of ["deu.traineddata", "chi_sim.traineddata", "notes.txt"]) await writeFile(join(folder, name), "");
    expect(await languagesIn(folder)).toEqual(["chi_sim", "deu", "eng"]);
    await expect(languagesIn(join(folder, "none"))).rejects.toMatchObject({ code: "usage" });
  });

  // What Tesseract reads is in the data, not in its name: English data under another name shows which file was read.
  const data = dirname(createRequire(import.meta.url).resolve("@tesseract.js-data/eng/package.json"));
  const english = () => gunzipSync(readFileSync(join(data, "4.0.0_best_int", "eng.traineddata.gz")));
  const pdf = () => drawnPdf([sheet(scanOf(SCANNED_TEXT.slice(0, 1), { dotsPerInch: 150 }))]);

  it("come from a folder, beside English, which needs none", async () => {
    const folder = dirname(await write("xyz.traineddata", english()));
    const path = await write("scan.pdf", await pdf());
    const { pages } = await openDocument(path, { recognition: { languages: "xyz+eng", folder } });
    expect(characterErrorRate(SCANNED_TEXT[0]!, pages[0]!.text)).toBeLessThan(0.02);
  }, 60_000);

  it.each([
    ["without data are refused before anything is read", "deu", 'language "deu" comes with Precis', "deu.traineddata"],
    ["that are no codes are refused", "../eng", "no code of a language", "deu+eng"],
  ])("%s", async (_, languages, message, next) => {
    const path = await write("any.txt", "Text.");
    await expect(openDocument(path, { recognition: { languages } })).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining(message),
      next: expect.stringContaining(next),
    });
  });

  it.each([
    ["too short", () => Buffer.from("no")],
    ["no data", () => Buffer.from("no data of any language, whatever its name says".repeat(20))],
    ["cut off", () => english().subarray(0, 100_000)],
  ])("with damaged data are refused: %s", async (_, bytes) => {
    const folder = dirname(await write("bad.traineddata", bytes()));
    await expect(
      openDocument(await write("any.txt", "Text."), { recognition: { languages: "bad", folder } }),
    ).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining("bad.traineddata"),
    });
  });
});

describe("recognition while it runs", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("stops soon after it is cancelled, and writes nothing to stdout", async () => {
    const stdout = vi.spyOn(process.stdout, "write");
    const log = vi.spyOn(console, "log");
    const path = await write(
      "scan.pdf",
      await drawnPdf(Array.from({ length: 6 }, () => sheet(scanOf(SCANNED_TEXT.slice(0, 1), office)))),
    );
    const controller = new AbortController();
    let cancelledAt = Number.POSITIVE_INFINITY;
    const onProgress = (done: number) => {
      if (done === 0) return;
      cancelledAt = performance.now();
      controller.abort();
    };
    await expect(openDocument(path, { signal: controller.signal, onProgress })).rejects.toMatchObject({
      code: "cancelled",
    });
    // Drawing a page is the longest step that nothing can interrupt.
    expect(performance.now() - cancelledAt).toBeLessThan(3000);
    expect(stdout).not.toHaveBeenCalled();
    expect(log).not.toHaveBeenCalled();
  }, 120_000);
});
