/**
 * Makes the sample PDFs from their Markdown: `npx tsx scripts/samples.ts`. The bytes depend on the Markdown alone
 * (fixed dates, streams not compressed, so no zlib release shows in them); a test checks that they are up to date.
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { lexer, type Token, type Tokens } from "marked";
import PDFDocument from "pdfkit";

const A4 = { width: 595.28, height: 841.89 };
const MARGIN = { top: 76, bottom: 84, side: 82 };
const WIDTH = A4.width - 2 * MARGIN.side;
const BOTTOM = A4.height - MARGIN.bottom;
const INK = "#1d2733";
const QUIET = "#5d6b78";
const ACCENT = "#1f5673";
const RULE = "#c9d3da";

interface Style {
  readonly family: "serif" | "sans";
  readonly size: number;
  readonly leading: number;
  readonly color: string;
  readonly bold?: boolean;
}
const BODY: Style = { family: "serif", size: 11.5, leading: 16, color: INK };
const TABLE: Style = { family: "sans", size: 9.5, leading: 13, color: INK };
const HEADINGS: Readonly<Record<1 | 2 | 3, { style: Style; before: number; after: number }>> = {
  1: { style: { family: "sans", size: 25, leading: 30, color: ACCENT, bold: true }, before: 0, after: 12 },
  2: { style: { family: "sans", size: 16, leading: 20, color: ACCENT, bold: true }, before: 24, after: 8 },
  3: { style: { family: "sans", size: 11.5, leading: 15, color: INK, bold: true }, before: 13, after: 4 },
};
const PARAGRAPH_GAP = 8;

/** A stretch of words in one font. */
interface Run {
  readonly text: string;
  readonly bold: boolean;
  readonly italic: boolean;
}

/** Lays Markdown out on A4 pages: headings, paragraphs, lists, quotations and tables; a footer counts the pages. */
export async function samplePdf(markdown: string): Promise<Buffer> {
  const tokens = lexer(markdown);
  const title = tokens.find((token): token is Tokens.Heading => token.type === "heading")?.text ?? "Sample";
  const layout = new Layout(title);
  for (const token of tokens) layout.block(token);
  return layout.finish();
}

class Layout {
  private readonly doc: PDFKit.PDFDocument;
  private y = MARGIN.top;

  constructor(private readonly title: string) {
    const date = new Date("2025-07-10T09:00:00Z");
    this.doc = new PDFDocument({
      size: "A4",
      margin: 0,
      bufferPages: true,
      compress: false,
      lang: "en-GB",
      info: { Title: title, Author: "The Precis authors", CreationDate: date, ModDate: date },
    });
  }

  block(token: Token): void {
    switch (token.type) {
      case "heading":
        this.heading(token as Tokens.Heading);
        break;
      case "paragraph":
        this.paragraph(runs(token.tokens ?? []), BODY, 0);
        this.y += PARAGRAPH_GAP;
        break;
      case "list":
        this.list(token as Tokens.List);
        break;
      case "blockquote":
        this.quotation(token as Tokens.Blockquote);
        break;
      case "table":
        this.table(token as Tokens.Table);
        break;
      case "space":
        break;
      default:
        throw new Error(`The sample's layout knows no "${token.type}".`);
    }
  }

  async finish(): Promise<Buffer> {
    const { start, count } = this.doc.bufferedPageRange();
    for (let page = 0; page < count; page++) {
      this.doc.switchToPage(start + page);
      const y = A4.height - 50;
      this.doc
        .moveTo(MARGIN.side, y - 10)
        .lineTo(MARGIN.side + WIDTH, y - 10)
        .lineWidth(0.5)
        .stroke(RULE);
      this.doc.font("Helvetica").fontSize(8.5).fillColor(QUIET);
      this.doc.text(this.title, MARGIN.side, y, { lineBreak: false });
      const number = `Page ${page + 1} of ${count}`;
      this.doc.text(number, MARGIN.side + WIDTH - this.doc.widthOfString(number), y, { lineBreak: false });
    }
    const chunks: Buffer[] = [];
    this.doc.on("data", (chunk: Buffer) => chunks.push(chunk));
    const ended = new Promise((resolve, reject) => this.doc.on("end", resolve).on("error", reject));
    this.doc.end();
    await ended;
    return Buffer.concat(chunks);
  }

  private heading(token: Tokens.Heading): void {
    const { style, before, after } = HEADINGS[token.depth as 1 | 2 | 3] ?? HEADINGS[3];
    if (this.y > MARGIN.top) this.y += before;
    // A heading stays with the first lines below it.
    this.room(style.leading + after + 4 * BODY.leading);
    // A title of two parts is broken between them.
    const parts = token.depth === 1 ? token.text.split(/(?<=:) /).map((text) => plain(text)) : [runs(token.tokens)];
    for (const part of parts) this.paragraph(part, style, 0);
    if (token.depth === 1) {
      this.y += 4;
      this.doc
        .moveTo(MARGIN.side, this.y)
        .lineTo(MARGIN.side + 64, this.y)
        .lineWidth(2.5)
        .stroke(ACCENT);
    }
    this.y += after;
  }

  private list(token: Tokens.List): void {
    token.items.forEach((item, index) => {
      const mark = token.ordered ? `${Number(token.start) + index}.` : "•";
      this.room(BODY.leading);
      const y = this.y;
      const page = this.doc.page;
      this.paragraph(runs(item.tokens), BODY, 20, () => {
        this.font({ text: mark, bold: false, italic: false }, BODY);
        this.doc.text(mark, MARGIN.side + 4, page === this.doc.page ? y : this.y, { lineBreak: false });
      });
      this.y += 3;
    });
    this.y += PARAGRAPH_GAP - 3;
  }

  private quotation(token: Tokens.Blockquote): void {
    const paragraphs = token.tokens.filter((each): each is Tokens.Paragraph => each.type === "paragraph");
    const lines = paragraphs.map((each) => this.wrap(runs(each.tokens), BODY, WIDTH - 20));
    this.room(lines.flat().length * BODY.leading + 8);
    const top = this.y;
    paragraphs.forEach((each, index) => {
      const source = index === paragraphs.length - 1 && paragraphs.length > 1;
      const all = runs(each.tokens).map((run) => ({ ...run, italic: !source }));
      this.paragraph(all, source ? { ...BODY, color: QUIET } : BODY, 20);
      this.y += 3;
    });
    this.doc
      .moveTo(MARGIN.side + 6, top)
      .lineTo(MARGIN.side + 6, this.y - 4)
      .lineWidth(2)
      .stroke(RULE);
    this.y += PARAGRAPH_GAP;
  }

  private table(token: Tokens.Table): void {
    const rows = [token.header, ...token.rows];
    const rowHeight = TABLE.leading + 7;
    this.y += 4;
    this.room(rows.length * rowHeight + 8);
    const figures = 96;
    const firstWidth = WIDTH - figures * (token.header.length - 1);
    rows.forEach((row, index) => {
      const head = index === 0;
      row.forEach((cell, column) => {
        const style = head ? { ...TABLE, bold: true, color: ACCENT } : TABLE;
        const line = runs(cell.tokens);
        const width = this.width(line, style);
        const right = MARGIN.side + firstWidth + figures * column - 4;
        this.draw(line, style, column === 0 ? MARGIN.side + 4 : right - width, this.y + 4);
      });
      this.y += rowHeight;
      const strong = head || index === rows.length - 1;
      this.doc
        .moveTo(MARGIN.side, this.y)
        .lineTo(MARGIN.side + WIDTH, this.y)
        .lineWidth(strong ? 0.9 : 0.4);
      this.doc.stroke(strong ? ACCENT : RULE);
    });
    this.y += PARAGRAPH_GAP + 6;
  }

  /** Wrapped lines from the current place on, over pages as needed; never one line of a paragraph alone. */
  private paragraph(all: readonly Run[], style: Style, indent: number, onFirstLine?: () => void): void {
    const lines = this.wrap(all, style, WIDTH - indent);
    lines.forEach((line, index) => {
      const left = lines.length - index;
      const together = (index === 0 || left === 2) && left > 1 ? (left === 3 ? 3 : 2) : 1;
      this.room(together * style.leading);
      if (index === 0) onFirstLine?.();
      this.draw(line, style, MARGIN.side + indent, this.y);
      this.y += style.leading;
    });
  }

  /** Begins a new page unless `height` points are left on this one. */
  private room(height: number): void {
    if (this.y + height <= BOTTOM) return;
    this.doc.addPage();
    this.y = MARGIN.top;
  }

  private wrap(all: readonly Run[], style: Style, width: number): Run[][] {
    const lines: Run[][] = [];
    let line: Run[] = [];
    let used = 0;
    for (const word of all.flatMap((run) => run.text.split(/(?<= )/).map((text) => ({ ...run, text })))) {
      const needed = this.width([{ ...word, text: word.text.trimEnd() }], style);
      if (line.length > 0 && used + needed > width) {
        lines.push(line);
        line = [];
        used = 0;
      }
      line.push(word);
      used += this.width([word], style);
    }
    if (line.length > 0) lines.push(line);
    return lines;
  }

  private draw(line: readonly Run[], style: Style, x: number, y: number): void {
    let at = x;
    for (const run of merged(line)) {
      this.font(run, style);
      this.doc.text(run.text, at, y, { lineBreak: false });
      at += this.doc.widthOfString(run.text);
    }
  }

  private width(line: readonly Run[], style: Style): number {
    return line.reduce((sum, run) => {
      this.font(run, style);
      return sum + this.doc.widthOfString(run.text);
    }, 0);
  }

  private font(run: Run, style: Style): void {
    const bold = run.bold || style.bold === true;
    const [family, slant] = style.family === "serif" ? ["Times", "Italic"] : ["Helvetica", "Oblique"];
    const variant = `${bold ? "Bold" : ""}${run.italic ? slant : ""}`;
    const plain = style.family === "serif" ? "Times-Roman" : "Helvetica";
    this.doc
      .font(variant === "" ? plain : `${family}-${variant}`)
      .fontSize(style.size)
      .fillColor(style.color);
  }
}

function plain(text: string): Run[] {
  return [{ text, bold: false, italic: false }];
}

/** Inline Markdown as runs of one font each. */
function runs(tokens: readonly Token[], bold = false, italic = false): Run[] {
  return tokens.flatMap((token) => {
    const inner = "tokens" in token ? token.tokens : undefined;
    if (inner !== undefined) return runs(inner, bold || token.type === "strong", italic || token.type === "em");
    if (!("text" in token)) throw new Error(`The sample's layout knows no "${token.type}" in a line.`);
    return [{ text: String(token.text).replace(/\s+/g, " "), bold, italic }];
  });
}

/** Neighbouring words of one font drawn as one string, so that a reader of the PDF gets whole lines. */
function merged(line: readonly Run[]): Run[] {
  const result: Run[] = [];
  for (const run of line) {
    const last = result.at(-1);
    if (last !== undefined && last.bold === run.bold && last.italic === run.italic) {
      result[result.length - 1] = { ...last, text: last.text + run.text };
    } else {
      result.push(run);
    }
  }
  return result;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const source = new URL("../assets/samples/harbour-report.md", import.meta.url);
  await writeFile(new URL("harbour-report.pdf", source), await samplePdf(await readFile(source, "utf8")));
}
