import { afterEach, describe, expect, it, vi } from "vitest";
import { coverageOf } from "../../core/documents/coverage.js";
import { readPdf } from "../../core/documents/pdf.js";
import { sourceOf } from "./folder.js";
import { drawnPdf, linesAt, rawPdf, scan, words } from "./pdfs.js";

const read = async (bytes: Buffer, signal?: AbortSignal) => readPdf(sourceOf("/docs/Report 7.pdf", bytes), { signal });

/** One page whose content stream is `content`, in Helvetica as /F. */
function pageWith(content: string): Buffer {
  return rawPdf([
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
  ]);
}

describe("readPdf", () => {
  it("reads pages in order with their numbers, and the title from the metadata", async () => {
    const pdf = await drawnPdf([words("First page."), words("Second page.")], { info: { Title: " The  year " } });
    expect(await read(pdf)).toEqual({
      path: "/docs/Report 7.pdf",
      title: "The year",
      kind: "pdf",
      unit: "page",
      outline: [],
      pages: [
        { number: 1, text: "First page.", reading: { how: "text" } },
        { number: 2, text: "Second page.", reading: { how: "text" } },
      ],
      warnings: [],
    });
  });

  it.each([undefined, "", "Untitled", "Microsoft Word - draft3.docx"])(
    "is titled by its file when the metadata says %j",
    async (title) => {
      const pdf = await drawnPdf([words("Text.")], title === undefined ? {} : { info: { Title: title } });
      expect((await read(pdf)).title).toBe("Report 7");
    },
  );

  it("reads a PDF that only its owner's password protects", async () => {
    const pdf = await drawnPdf([words("May be read, not changed.")], { ownerPassword: "owner" });
    expect((await read(pdf)).pages[0]?.text).toBe("May be read, not changed.");
  });

  it.each(["1.3", "1.7", "1.7ext3"] as const)("refuses one that needs a password (PDF %s)", async (pdfVersion) => {
    const pdf = await drawnPdf([words("Secret.")], { userPassword: "user", ownerPassword: "owner", pdfVersion });
    await expect(read(pdf)).rejects.toMatchObject({
      code: "pdf-encrypted",
      message: expect.stringContaining("Report 7.pdf"),
    });
  });

  it("names the pages when none has text", async () => {
    await expect(read(await drawnPdf([scan, scan, scan]))).rejects.toMatchObject({
      code: "no-text-layer",
      message: expect.stringContaining("pages 1 to 3 hold no text"),
      next: expect.stringContaining("300 dpi"),
    });
    await expect(read(await drawnPdf([scan]))).rejects.toMatchObject({
      message: expect.stringContaining("page 1 holds"),
    });
  }, 30_000);

  it("says which pages have no text when others have some", async () => {
    const document = await read(await drawnPdf([words("Cover."), scan, scan, words("Index."), scan]));
    expect(document.pages.map((page) => page.text)).toEqual(["Cover.", "", "", "Index.", ""]);
    expect(coverageOf(document)).toMatchObject({ text: [1, 4], empty: [2, 3, 5], failed: [] });
  }, 30_000);
});

describe("readPdf finds paragraphs", () => {
  it("joins the lines of a paragraph and the halves of a broken word", async () => {
    const lines = linesAt([
      [72, 72, "The dredger removed three hundred thou-"],
      [72, 86, "sand tonnes of silt from the approach"],
      [72, 100, "channel, which is now well-known as the"],
      [72, 114, "deepest. It is a well-"],
      [72, 128, "known place, and an Anglo-"],
      [72, 142, "Dutch one."],
      [72, 170, "A second paragraph."],
    ]);
    expect((await read(await drawnPdf([lines]))).pages[0]?.text).toBe(
      "The dredger removed three hundred thousand tonnes of silt from the approach channel, which is now well-known " +
        "as the deepest. It is a well-known place, and an Anglo-Dutch one.\n\nA second paragraph.",
    );
  });

  it("knows paragraphs that are only indented", async () => {
    const lines = linesAt([
      [72, 72, "The tide turned at four in the morning."],
      [90, 86, "By six the fleet was out, and the last"],
      [72, 100, "boat passed the pier at seven."],
    ]);
    expect((await read(await drawnPdf([lines]))).pages[0]?.text).toBe(
      "The tide turned at four in the morning.\n\nBy six the fleet was out, and the last boat passed the pier at seven.",
    );
  });

  it("goes on with a sentence in the next column", async () => {
    const lines = linesAt([
      [72, 72, "Left column, whose sentence"],
      [72, 86, "does not end before"],
      [320, 72, "the right column begins."],
    ]);
    expect((await read(await drawnPdf([lines]))).pages[0]?.text).toBe(
      "Left column, whose sentence does not end before the right column begins.",
    );
  });

  it("keeps rows of a table and items of a list on lines of their own", async () => {
    const lines = linesAt([
      [72, 72, "Timber"],
      [300, 72, "418"],
      [400, 72, "391"],
      [72, 86, "Grain"],
      [300, 86, "287"],
      [400, 86, "334"],
      [72, 120, "1. First item that is long"],
      [86, 134, "and goes on."],
      [72, 148, "2. Second item."],
    ]);
    expect((await read(await drawnPdf([lines]))).pages[0]?.text).toBe(
      "Timber  418  391\nGrain  287  334\n\n1. First item that is long and goes on.\n2. Second item.",
    );
  });

  it("keeps a raised footnote mark on its line", async () => {
    const pdf = pageWith("BT /F 12 Tf 72 700 Td (Rose by half) Tj 7 Ts /F 7 Tf (1) Tj 0 Ts /F 12 Tf ( in May.) Tj ET");
    expect((await read(pdf)).pages[0]?.text).toBe("Rose by half1 in May.");
  });
});

describe("readPdf survives damaged and hostile files", () => {
  it.each([
    ["only a header", Buffer.from("%PDF-1.7\n")],
    ["a header and rubbish", Buffer.from(`%PDF-1.7\n${"0123456789abcdef ".repeat(500)}`)],
    ["no pages", rawPdf(["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [] /Count 0 >>"])],
    [
      "a page tree that is its own child",
      rawPdf(["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [2 0 R] /Count 1 >>"]),
    ],
    ["a catalogue without pages", rawPdf(["<< /Type /Catalog >>"])],
    ["a catalogue nested 100,000 deep", rawPdf([`<< /Type /Catalog /Pages ${"[".repeat(1e5)}${"]".repeat(1e5)} >>`])],
  ])("%s", async (_, bytes) => {
    await expect(read(bytes)).rejects.toMatchObject({ code: "pdf-damaged", next: expect.any(String) });
  });

  it("reads a PDF whose cross-reference table is not where it says", async () => {
    const pdf = (await drawnPdf([words("Still here.")])).toString("latin1").replace(/startxref\n\d+/, "startxref\n7");
    expect((await read(Buffer.from(pdf, "latin1"))).pages[0]?.text).toBe("Still here.");
  });

  it("either reads or refuses a PDF cut anywhere, in its own words", async () => {
    const whole = await drawnPdf([words("One."), words("Two.")]);
    for (let share = 0.1; share < 1; share += 0.15) {
      const outcome = await read(whole.subarray(0, Math.floor(whole.length * share))).catch((error: unknown) => error);
      if (outcome instanceof Error) {
        expect(["pdf-damaged", "no-text-layer"]).toContain((outcome as Error & { code: string }).code);
      } else {
        expect(outcome).toHaveProperty("pages");
      }
    }
  });

  it("reads the text before brackets nested 200,000 deep in a page", async () => {
    const pdf = pageWith(`BT /F 12 Tf 72 700 Td (Before.) Tj ET ${"[".repeat(200_000)}`);
    const outcome = await read(pdf).catch((error: unknown) => error);
    if (outcome instanceof Error) expect(outcome).toMatchObject({ code: "pdf-damaged" });
    else expect(outcome).toMatchObject({ pages: [{ text: "Before." }] });
  }, 20_000);

  it("refuses a page with more text than a page can hold", async () => {
    // Type so small that all of it lies on the page: pdf.js leaves out what lies beside it.
    const pdf = () => pageWith(`BT /F 0.04 Tf 1 TL 72 700 Td ${`(${"words ".repeat(200)}) Tj T* `.repeat(50)} ET`);
    const whole = await readPdf(sourceOf("/docs/dense.pdf", pdf()), {
      limits: { milliseconds: 20_000, characters: 70_000 },
    });
    expect(whole.pages[0]?.text.length).toBeGreaterThan(40_000);
    const less = readPdf(sourceOf("/docs/dense.pdf", pdf()), { limits: { milliseconds: 20_000, characters: 6_000 } });
    await expect(less).rejects.toMatchObject({
      code: "pdf-damaged",
      message: 'No page of "dense.pdf" can be read: it holds more text than a page can.',
    });
  }, 20_000);

  it("leaves a page whose forms draw each other ten times ten times ten, and reads the others", async () => {
    const forms = Array.from({ length: 10 }, (_, level) => {
      const inner = level === 9 ? "BT /F 9 Tf 72 700 Td (bang) Tj ET" : `/X${level + 1} Do `.repeat(10);
      return (
        `<< /Type /XObject /Subtype /Form /BBox [0 0 595 842] /Length ${inner.length} ` +
        `/Resources << /Font << /F 4 0 R >> /XObject << /X${level + 1} ${7 + level} 0 R >> >> >>\nstream\n${inner}\nendstream`
      );
    });
    const good = "BT /F 12 Tf 72 700 Td (Sound.) Tj ET";
    const page = (contents: number) =>
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents ${contents} 0 R ` +
      "/Resources << /Font << /F 4 0 R >> /XObject << /X0 6 0 R >> >> >>";
    const stream = (text: string) => `<< /Length ${text.length} >>\nstream\n${text}\nendstream`;
    const objects = [
      "<< /Type /Catalog /Pages 2 0 R >>",
      "<< /Type /Pages /Kids [3 0 R 17 0 R] /Count 2 >>",
      page(5),
      "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
      stream("/X0 Do"),
      ...forms,
      stream(good),
      page(16),
    ];
    const started = performance.now();
    const document = await readPdf(sourceOf("/docs/bomb.pdf", rawPdf(objects)), {
      // a fast machine would reach a smaller number of characters first
      limits: { milliseconds: 1000, characters: 1e8 },
    });
    expect(document.pages[1]?.text).toBe("Sound.");
    expect(coverageOf(document).failed).toEqual([{ page: 1, reason: "it takes too long to read" }]);
    expect(performance.now() - started).toBeLessThan(8000);
  }, 20_000);
});

describe("readPdf while it runs", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each([0, 1, 30, 150])("stops soon after it is cancelled, after %d ms", async (delay) => {
    const pdf = await drawnPdf(Array.from({ length: 240 }, (_, page) => words(`Page ${page}. `.repeat(200))));
    const controller = new AbortController();
    let cancelledAt = 0;
    setTimeout(() => {
      cancelledAt = performance.now();
      controller.abort();
    }, delay);
    await expect(read(pdf, controller.signal)).rejects.toMatchObject({ code: "cancelled" });
    expect(performance.now() - cancelledAt).toBeLessThan(250);
  });

  it("writes nothing to stdout, whatever the file", async () => {
    const stdout = vi.spyOn(process.stdout, "write");
    const log = vi.spyOn(console, "log");
    const odd = "BT /F 12 Tf 72 700 Td (Odd.) Tj /Missing 12 Tf (Font.) Tj ET Q Q Q /Nothing Do";
    await read(pageWith(odd)).catch(() => undefined);
    await read(Buffer.from("%PDF-1.7\nrubbish")).catch(() => undefined);
    expect(stdout).not.toHaveBeenCalled();
    expect(log).not.toHaveBeenCalled();
  });
});
