import {
  AlignmentType,
  BorderStyle,
  convertMillimetersToTwip,
  Document,
  type FileChild,
  Footer,
  HeadingLevel,
  type ILevelsOptions,
  ImageRun,
  LevelFormat,
  Packer,
  PageNumber,
  Paragraph,
  type ParagraphChild,
  Table,
  TableCell,
  TableRow,
  TextRun,
  WidthType,
} from "docx";
import type { SummaryResult } from "../summarize/result.js";
import { keptMapWords, type Picture } from "./kept-map.js";
import type { Block, Inline } from "./prose.js";
import { type Report, type ReportOptions, type Row, reportOf } from "./report.js";

/** The summary as a Word file with styles, lists and tables that Word knows as such, so that it can be worked on. */
export async function summaryDocx(result: SummaryResult, options: ReportOptions = {}): Promise<Uint8Array> {
  const report = reportOf(result, options);
  const lists = new Lists();
  const heading = (text: string) => new Paragraph({ heading: HeadingLevel.HEADING_1, text });
  const set = (prose: readonly Block[]) => blocks(prose, { cite: report.cite, lists, depth: 0 });
  const children: FileChild[] = [
    new Paragraph({ heading: HeadingLevel.TITLE, ...direction(report.title), text: report.title }),
    new Paragraph({ style: "Subtitle", text: report.subtitle }),
    ...set(report.prose),
    ...(report.answers.length > 0 ? [heading("Questions and answers")] : []),
    ...report.answers.flatMap(({ question, prose, notes }) => [
      new Paragraph({ heading: HeadingLevel.HEADING_2, ...direction(question), text: question }),
      ...set(prose),
      ...notes.map((note) => new Paragraph({ style: "Note", ...direction(note), text: note })),
    ]),
    ...(report.cited.length > 0 ? [heading("What the cited pages say"), table(report.cited)] : []),
    heading("What was read"),
    table(report.coverage),
    ...(report.warnings.length > 0 ? [heading("Warnings"), ...report.warnings.map(bullet)] : []),
    heading("How it was made"),
    table(report.facts),
    ...(report.map ? [heading("What was kept of the text"), ...picture(report.map)] : []),
  ];
  const document = new Document({
    title: report.title,
    creator: "Precis",
    description: report.subtitle,
    styles: STYLES,
    numbering: { config: lists.config() },
    sections: [
      {
        properties: { page: { size: A4, margin: { top: 1134, bottom: 1134, left: 1247, right: 1247 } } },
        footers: { default: pageFooter() },
        children,
      },
    ],
  });
  return new Uint8Array(await Packer.toArrayBuffer(document));
}

const A4 = { width: convertMillimetersToTwip(210), height: convertMillimetersToTwip(297) };
/** Twentieths of a point between a list's levels. */
const INDENT = 360;
/** Word knows nine levels of a list. */
const DEEPEST = 8;

const BULLETS = "bullets";

/** Each ordered list counts by itself, so each has its numbering. */
class Lists {
  private readonly starts: number[] = [];

  /** @returns the name of a numbering that begins at `start` */
  ordered(start: number): string {
    return `numbers-${this.starts.push(start)}`;
  }

  config(): { reference: string; levels: ILevelsOptions[] }[] {
    const levels = (format: ILevelsOptions["format"], text: (level: number) => string, start = 1) =>
      Array.from({ length: DEEPEST + 1 }, (_, level) => ({
        level,
        format,
        text: text(level),
        start,
        alignment: AlignmentType.START,
        style: { paragraph: { indent: { left: INDENT * (level + 1), hanging: INDENT } } },
      }));
    return [
      { reference: BULLETS, levels: levels(LevelFormat.BULLET, (level) => ["•", "–", "·"][level % 3] as string) },
      ...this.starts.map((start, index) => ({
        reference: `numbers-${index + 1}`,
        levels: levels(LevelFormat.DECIMAL, (level) => `%${level + 1}.`, start),
      })),
    ];
  }
}

interface Place {
  readonly cite: Report["cite"];
  readonly lists: Lists;
  /** How many lists a block is inside of. */
  readonly depth: number;
  readonly style?: string;
}

function blocks(all: readonly Block[], place: Place): FileChild[] {
  return all.flatMap((block) => paragraphs(block, place));
}

function paragraphs(block: Block, place: Place): FileChild[] {
  const { cite, lists, depth, style } = place;
  const indent = depth > 0 ? { indent: { left: INDENT * Math.min(depth, DEEPEST + 1) } } : {};
  switch (block.kind) {
    case "heading":
      return [new Paragraph({ heading: levelOf(block.level), ...set(block.inlines, cite) })];
    case "paragraph":
      return [new Paragraph({ ...set(block.inlines, cite), ...indent, ...(style ? { style } : {}) })];
    case "code":
      return [new Paragraph({ ...set(block.inlines, cite), ...indent, style: "Code" })];
    case "rule":
      return [new Paragraph({ thematicBreak: true })];
    case "quote":
      return blocks(block.blocks, { ...place, style: "Quote" });
    case "list": {
      const reference = block.start === undefined ? BULLETS : lists.ordered(block.start);
      return block.items.flatMap((item) => {
        const [first, ...rest] = item;
        const inlines = first?.kind === "paragraph" ? first.inlines : [];
        const others = first?.kind === "paragraph" ? rest : item;
        return [
          new Paragraph({
            ...set(inlines, cite),
            style: "ListParagraph",
            numbering: { reference, level: Math.min(depth, DEEPEST) },
          }),
          ...blocks(others, { ...place, depth: depth + 1 }),
        ];
      });
    }
  }
}

const levelOf = (level: number) =>
  [HeadingLevel.HEADING_1, HeadingLevel.HEADING_2, HeadingLevel.HEADING_3][level - 2] ?? HeadingLevel.HEADING_4;

/** Runs of text, and the paragraph's direction by its first letter. */
function set(
  inlines: readonly Inline[],
  cite: Report["cite"],
): { children: ParagraphChild[]; bidirectional?: boolean } {
  const text = inlines.map((part) => (part.kind === "text" ? part.text : "")).join("");
  return { children: inlines.flatMap((part) => runs(part, cite)), ...direction(text) };
}

function runs(part: Inline, cite: Report["cite"]): ParagraphChild[] {
  if (part.kind === "break") return [new TextRun({ break: 1 })];
  if (part.kind === "citation") {
    const words = ` (${cite(part)})`;
    return [new TextRun({ text: words, style: part.pages.length === 0 ? "Unsupported" : "Citation" })];
  }
  const { strong, emphasis, code } = part;
  return part.text.split("\n").map(
    (text, index) =>
      new TextRun({
        text,
        bold: strong,
        italics: emphasis,
        style: code ? "CodeText" : undefined,
        break: index > 0 ? 1 : 0,
      }),
  );
}

/** Right to left when the first letter is of such a script (the first strong character, UAX 9, rule P2). */
function direction(text: string): { bidirectional?: boolean } {
  const first = /\p{L}/u.exec(text)?.[0] ?? "";
  return /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u.test(first)
    ? { bidirectional: true }
    : {};
}

function bullet(text: string): Paragraph {
  return new Paragraph({
    text,
    ...direction(text),
    style: "ListParagraph",
    numbering: { reference: BULLETS, level: 0 },
  });
}

/** Widths in twentieths of a point, of the page less its margins: Word and LibreOffice obey both kinds only together. */
const COLUMNS = [2900, 6500] as const;

function table(rows: readonly Row[]): Table {
  const line = { style: BorderStyle.SINGLE, size: 4, color: "D9D6D0" };
  const none = { style: BorderStyle.NONE, size: 0, color: "auto" };
  const cell = (text: string, column: 0 | 1, style: string) =>
    new TableCell({
      width: { size: COLUMNS[column], type: WidthType.DXA },
      margins: { top: 40, bottom: 40, left: 0, right: 120 },
      children: [new Paragraph({ text, style, ...direction(text) })],
    });
  return new Table({
    width: { size: COLUMNS[0] + COLUMNS[1], type: WidthType.DXA },
    columnWidths: [...COLUMNS],
    borders: { top: line, bottom: line, left: none, right: none, insideHorizontal: line, insideVertical: none },
    rows: rows.map(
      ([name, value]) =>
        new TableRow({ cantSplit: true, children: [cell(name, 0, "TableName"), cell(value, 1, "TableValue")] }),
    ),
  });
}

/** As wide as the tables, in pixels of 96 to the inch. */
const PICTURE = { width: 627, height: 150 };

function picture({ bytes }: Picture): Paragraph[] {
  const altText = { name: "What was kept", title: "What was kept of the text", description: keptMapWords };
  const image = new ImageRun({ type: "bmp", data: bytes, transformation: PICTURE, altText });
  return [
    new Paragraph({ children: [image], keepNext: true, spacing: { after: 60, line: 240, lineRule: "auto" } }),
    new Paragraph({ text: keptMapWords, style: "TableName" }),
  ];
}

function pageFooter(): Footer {
  const children = [new TextRun({ children: [PageNumber.CURRENT, " / ", PageNumber.TOTAL_PAGES] })];
  return new Footer({ children: [new Paragraph({ alignment: AlignmentType.END, style: "Footer", children })] });
}

/** For all but Chinese, Japanese and Korean, for which Word takes the reader's own. */
const face = (name: string) => ({ ascii: name, hAnsi: name, cs: name });

const SOFT = "6B665E";
const HEADINGS = { font: face("Calibri"), color: "262320" };

/** Sizes are half points, spaces twentieths of a point. */
const STYLES = {
  default: {
    document: { run: { font: face("Cambria"), size: 22 }, paragraph: { spacing: { after: 140, line: 288 } } },
    title: { run: { ...HEADINGS, size: 40 }, paragraph: { spacing: { after: 60 } } },
    heading1: { run: { ...HEADINGS, size: 28 }, paragraph: { spacing: { before: 360, after: 100 }, keepNext: true } },
    heading2: { run: { ...HEADINGS, size: 25 }, paragraph: { spacing: { before: 280, after: 80 }, keepNext: true } },
    heading3: { run: { ...HEADINGS, size: 23 }, paragraph: { spacing: { before: 240, after: 80 }, keepNext: true } },
    heading4: { run: { ...HEADINGS, size: 22 }, paragraph: { spacing: { before: 200, after: 60 }, keepNext: true } },
    listParagraph: { paragraph: { spacing: { after: 70 } } },
  },
  paragraphStyles: [
    paragraphStyle("Subtitle", {
      run: { font: face("Calibri"), size: 19, color: SOFT },
      paragraph: { spacing: { after: 280 } },
    }),
    // Without its line it would be taken for a paragraph of the list above.
    paragraphStyle("Quote", {
      run: { color: SOFT },
      paragraph: {
        indent: { left: INDENT },
        border: { left: { style: BorderStyle.SINGLE, size: 12, space: 8, color: "D9D6D0" } },
      },
    }),
    paragraphStyle("Note", { run: { font: face("Calibri"), size: 19, color: SOFT } }),
    paragraphStyle("Code", { run: { font: face("Consolas"), size: 19 }, paragraph: { spacing: { line: 240 } } }),
    paragraphStyle("Footer", { run: { font: face("Calibri"), size: 17, color: SOFT } }),
    paragraphStyle("TableName", {
      name: "Table Name",
      run: { font: face("Calibri"), size: 19, color: SOFT },
      paragraph: { spacing: { after: 0, line: 240 } },
    }),
    paragraphStyle("TableValue", {
      name: "Table Value",
      run: { font: face("Calibri"), size: 19 },
      paragraph: { spacing: { after: 0, line: 240 } },
    }),
  ],
  characterStyles: [
    { id: "Citation", name: "Citation", run: { font: face("Calibri"), size: 18, color: "2B6E72" } },
    { id: "Unsupported", name: "Unsupported", run: { font: face("Calibri"), size: 18, color: "A5362A" } },
    { id: "CodeText", name: "Code Text", run: { font: face("Consolas"), size: 19 } },
  ],
};

function paragraphStyle<Rest extends object>(id: string, rest: Rest) {
  return { id, name: id, basedOn: "Normal", quickFormat: true, ...rest };
}
