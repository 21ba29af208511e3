import { describe, expect, it } from "vitest";
import { readPdf } from "../../core/documents/pdf.js";
import {
  at,
  embeddedCmapPdf,
  firstFree,
  fromRightPdf,
  furnishedPdf,
  interleavedColumns,
  pagesPdf,
  predefinedCmapPdf,
  stream,
  unicodePdf,
  upwards,
} from "./awkward.js";
import { sourceOf } from "./folder.js";
import { drawnPdf, linesAt, words } from "./pdfs.js";

const read = (bytes: Buffer) => readPdf(sourceOf("/docs/awkward.pdf", bytes));
const textOf = async (bytes: Buffer) => (await read(bytes)).pages.map((page) => page.text).join("\f");

describe("reading order", () => {
  it("takes columns apart that are drawn line by line across the page", async () => {
    const { pdf, text } = interleavedColumns();
    expect(await textOf(pdf)).toBe(text);
  });

  it("leaves a table's rows together, however wide its cells", async () => {
    const rows = [
      ["Director of the harbour", "Margaret Ellison", "1998"],
      ["Pilot", "J. Thorne", "2004"],
      ["Second pilot, acting", "Wanda Kowalska-Brown", "2011"],
      ["Keeper", "Ode", "1977"],
      ["Clerk of the works", "F. Lund", "2020"],
    ] as const;
    const lines = rows.flatMap((row, index) =>
      row.map((cell, column) => [72 + 150 * column, 100 + 16 * index, cell] as const),
    );
    expect(await textOf(await drawnPdf([linesAt(lines)]))).toBe(rows.map((row) => row.join("  ")).join("\n"));
  });

  it("reads a table of contents entry by entry, without its dots", async () => {
    const lines = linesAt([
      [72, 100, "2.1 The tide . . . . . . . . . . . . . . . . 4"],
      [72, 114, "2.2 Its causes ..................... xii"],
      [72, 128, "2.3 Naming . . . . . . . . . . . . . . . 13"],
    ]);
    expect(await textOf(await drawnPdf([lines]))).toBe("2.1 The tide  4\n2.2 Its causes  xii\n2.3 Naming  13");
  });

  it.each([90, 180, 270])("reads a page turned by %d degrees whose text stands upright on it", async (rotate) => {
    const turned = upwards(100, 72, "The tide turned at four in the") + upwards(114, 72, "morning.");
    const upright = at(72, 714, "The tide turned at four in the") + at(72, 700, "morning.");
    const content = rotate === 90 ? turned : upright;
    expect(await textOf(pagesPdf([{ content, entries: `/Rotate ${rotate}` }]))).toBe(
      "The tide turned at four in the morning.",
    );
  });

  it("keeps a note that runs up the margin apart from the text", async () => {
    const content =
      at(72, 714, "The tide turned at four in the") + at(72, 700, "morning.") + upwards(30, 300, "Draft of May");
    expect(await textOf(pagesPdf([{ content }]))).toBe("The tide turned at four in the morning.\n\nDraft of May");
  });
});

describe("headers and footers", () => {
  it("leaves out what repeats at the pages' edges, says so, and keeps a sum at the foot of each page", async () => {
    const { pages, warnings } = await read(await furnishedPdf(12));
    expect(pages.map((page) => page.text)).toEqual(
      Array.from(
        { length: 12 },
        (_, index) =>
          `Text of part ${index + 1}, which says something else than the others.\n\nCarried over: ${(index + 1) * 137 + 41}`,
      ),
    );
    expect(warnings).toHaveLength(1);
    for (const text of ["Saltmere Harbour", "Annual Review 2024", "Page 1 of 12"])
      expect(warnings[0]).toContain(`"${text}"`);
  });

  it("leaves two pages alone: nothing repeats yet", async () => {
    const { pages, warnings } = await read(await furnishedPdf(2));
    expect(pages[0]?.text).toContain("Saltmere Harbour");
    expect(warnings).toEqual([]);
  });

  it("leaves out page numbers in numerals of their own, told by the page labels, and keeps the labels", async () => {
    const names = ["i", "ii", "iii", "iv", "1", "2"];
    const pdf = pagesPdf(
      names.map((name, index) => ({
        content: `${at(72, 500, `Body ${"abcdef"[index]} of the text.`)}${at(290, 30, name)}`,
      })),
      { catalogue: "/PageLabels << /Nums [0 << /S /r >> 4 << /S /D >>] >>" },
    );
    const { pages } = await read(pdf);
    expect(pages.map((page) => page.text)).toEqual([..."abcdef"].map((letter) => `Body ${letter} of the text.`));
    expect(pages.map((page) => page.label ?? String(page.number))).toEqual(["i", "ii", "iii", "iv", "1", "2"]);
  });
});

describe("outline", () => {
  it("is read with its pages, and sets its headings apart", async () => {
    const pdf = await drawnPdf(
      [
        linesAt([
          [72, 100, "The tide and"],
          [72, 114, "its causes"],
          [72, 128, "Everything begins with the moon, which"],
          [72, 142, "pulls."],
        ]),
        words("Costs."),
      ].map((draw, index) => (doc) => {
        draw(doc);
        const top = doc.outline.addItem(index === 0 ? "The tide and" : "Costs.");
        if (index === 0) top.addItem("ITS  causes");
      }),
    );
    const { outline, pages } = await read(pdf);
    expect(outline).toEqual([
      { title: "The tide and", page: 1, level: 1 },
      { title: "ITS causes", page: 1, level: 2 },
      { title: "Costs.", page: 2, level: 1 },
    ]);
    expect(pages[0]?.text).toBe("The tide and\n\nits causes\n\nEverything begins with the moon, which pulls.");
  });
});

describe("letters", () => {
  it("writes ligatures as their letters and joins words broken at a line's end", async () => {
    expect(
      await textOf(unicodePdf(["The of\ufb01ce was \ufb02ooded, and the clerk-", "s left the sta\ufb00 behind."])),
    ).toBe("The office was flooded, and the clerks left the staff behind.");
  });

  it("reads Hebrew in its own order, whether a line is drawn as seen or word by word", async () => {
    // As seen: letters from left to right, which is from the last to the first.
    const seen = (text: string) => [...text].reverse().join("");
    expect(await textOf(unicodePdf([seen("שלום זה החוף")]))).toBe("שלום זה החוף");
    expect(await textOf(fromRightPdf(["שלום", "זה", "החוף"].map(seen)))).toBe("שלום זה החוף");
  });

  it("reads Arabic presentation forms as letters", async () => {
    const shaped = "\ufefb\ufee3";
    expect(await textOf(unicodePdf([shaped]))).toBe("ملا");
  });

  it("reads Japanese through pdf.js' character maps and joins its lines without spaces", async () => {
    expect(await textOf(predefinedCmapPdf(["港の浚渫は今年の春に始まり、夏の", "終わりまで続きました。"]))).toBe(
      "港の浚渫は今年の春に始まり、夏の終わりまで続きました。",
    );
  });

  it("reads Japanese written from top to bottom", async () => {
    expect(await textOf(predefinedCmapPdf(["港の浚渫は今年の春に始まり、夏の", "終わりまで続きました。"], true))).toBe(
      "港の浚渫は今年の春に始まり、夏の終わりまで続きました。",
    );
  });

  it("reads Chinese through a CMap that the file embeds", async () => {
    const { pdf, text } = embeddedCmapPdf();
    expect(await textOf(pdf)).toBe(text);
  });

  it("reads text once that is drawn twice to look bold", async () => {
    const content = `BT /F 12 Tf 72 700 Td (Heading) Tj ET BT /F 12 Tf 72.3 700 Td (Heading) Tj ET ${at(72, 660, "Text.")}`;
    expect(await textOf(pagesPdf([{ content }]))).toBe("Heading\n\nText.");
  });
});

describe("what is no page text", () => {
  it("reads what is filled into a form", async () => {
    const field = (name: string, kind: string) =>
      `<< /Type /Annot /Subtype /Widget /Rect [100 600 300 620] /P 4 0 R /T (${name}) ${kind} >>`;
    const first = firstFree(1);
    const pdf = pagesPdf(
      [
        {
          content: at(72, 700, "Application"),
          entries: `/Annots [${first} 0 R ${first + 1} 0 R ${first + 2} 0 R ${first + 3} 0 R]`,
        },
      ],
      {
        catalogue: `/AcroForm << /Fields [${first} 0 R ${first + 1} 0 R ${first + 2} 0 R ${first + 3} 0 R] /DR << >> >>`,
        objects: [
          field("Name", "/FT /Tx /V (Ada Lovelace)"),
          field("Reason", "/FT /Tx"),
          field("Member", "/FT /Btn /V /Yes /AS /Yes /AP << /N << /Yes null /Off null >> >>"),
          field("Berth", "/FT /Ch /Ff 131072 /Opt [(North) (South)] /V (South)"),
        ],
      },
    );
    expect(await textOf(pdf)).toBe("Application\n\nName: Ada Lovelace\n\nMember: Yes\n\nBerth: South");
  });

  it("names attached files as not read", async () => {
    const first = firstFree(1);
    const pdf = pagesPdf([{ content: at(72, 700, "See the attached sheet.") }], {
      catalogue: `/Names << /EmbeddedFiles << /Names [(sums.csv) ${first} 0 R] >> >>`,
      objects: [
        `<< /Type /Filespec /F (sums.csv) /UF (sums.csv) /EF << /F ${first + 1} 0 R >> >>`,
        stream("1,2,3", "/Type /EmbeddedFile"),
      ],
    });
    const { warnings } = await read(pdf);
    expect(warnings).toEqual([expect.stringContaining('attached to it were not read: "sums.csv"')]);
  });
});
