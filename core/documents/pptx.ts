import { cancelled } from "../errors.js";
import { said } from "../said.js";
import { type DocumentPage, failedPage, type Source, type SourceDocument, textPage } from "./document.js";
import { walkXml, type XmlHandler } from "./markup.js";
import { mainPart, relationships, titleIn } from "./office.js";
import { pageList } from "./page-list.js";
import { type Block, joinBlocks } from "./sections.js";
import type { ZipArchive } from "./zip.js";

/**
 * Reads a presentation, a page per slide in their order: the text of its shapes, tables and diagrams, and the
 * speaker's notes behind it. Hidden slides are read too, with a warning.
 */
export async function readPptx({ path }: Source, zip: ZipArchive, signal?: AbortSignal): Promise<SourceDocument> {
  const main = await mainPart(zip, "ppt/presentation.xml");
  const related = await relationships(zip, main, signal);
  const slides: string[] = [];
  await walkXml(
    await zip.readText(main),
    {
      open: (name, attributes) => name === "sldId" && slides.push(related.get(attributes["r:id"] ?? "")?.target ?? ""),
    },
    signal,
  );
  if (slides.length === 0) throw new Error(said`it has no slides`);

  const pages: DocumentPage[] = [];
  const hidden: number[] = [];
  for (const [index, part] of slides.entries()) {
    const number = index + 1;
    try {
      const slide = await readSlide(zip, part, signal);
      pages.push(textPage(number, joinBlocks(slide.blocks), slide.title));
      if (slide.hidden) hidden.push(number);
    } catch (thrown) {
      if (signal?.aborted) throw cancelled();
      pages.push(failedPage(number, thrown instanceof Error ? thrown.message : String(thrown)));
    }
  }
  const warnings = hidden.length > 0 ? [said`Hidden in the presentation, but read: ${pageList(hidden, "slide")}.`] : [];
  return { path, title: await titleIn(zip, "docProps/core.xml", path), kind: "pptx", unit: "slide", pages, warnings };
}

async function readSlide(zip: ZipArchive, part: string, signal: AbortSignal | undefined): Promise<SlideText> {
  const slide = new SlideText();
  await walkXml(await zip.readText(part), slide, signal);
  for (const { type, target } of (await relationships(zip, part, signal)).values()) {
    if (type === "diagramData" && zip.has(target)) await walkXml(await zip.readText(target), slide, signal);
    if (type !== "notesSlide" || !zip.has(target)) continue;
    const notes = new SlideText();
    await walkXml(await zip.readText(target), notes, signal);
    const [first, ...others] = notes.blocks;
    if (first) slide.blocks.push({ text: `Notes: ${first.text}` }, ...others);
  }
  return slide;
}

/** Of a slide repeats itself on every one: its number, date, header and footer. */
const REPEATED = new Set(["sldNum", "dt", "hdr", "ftr", "sldImg"]);

/** The text of one slide part (ECMA-376 part 1, 19.3 and 21.1): shapes in their order, which is how they are stacked. */
class SlideText implements XmlHandler {
  readonly blocks: Block[] = [];
  title: string | undefined;
  hidden = false;
  private shape: "title" | "repeated" | "other" = "other";
  private parts: string[] | undefined;
  private inText = false;
  private row: string[] | undefined;
  private lastWasRow = false;
  private fallback = 0;

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    // What older programs are to show instead of what was read already.
    if (name === "Fallback" || this.fallback > 0) {
      this.fallback++;
      return;
    }
    if (name === "sld") this.hidden = attributes.show === "0" || attributes.show === "false";
    else if (name === "sp" || name === "graphicFrame") this.shape = "other";
    else if (name === "ph") this.shape = shapeOf(attributes.type);
    else if (name === "p") this.parts = [];
    else if (name === "t") this.inText = true;
    else if (name === "br") this.parts?.push("\n");
    else if (name === "tr") this.row = [];
    else if (name === "tc") this.row?.push("");
  }

  close(name: string): void {
    if (this.fallback > 0) this.fallback--;
    else if (name === "t") this.inText = false;
    else if (name === "p") this.endParagraph();
    else if (name === "tr") {
      const row = this.row?.join("  ").trim() ?? "";
      this.row = undefined;
      if (row !== "") this.blocks.push(this.lastWasRow ? { text: row, close: true } : { text: row });
      this.lastWasRow = row !== "";
    }
  }

  text(text: string): void {
    if (this.inText && this.fallback === 0) this.parts?.push(text);
  }

  private endParagraph(): void {
    const text =
      this.parts
        ?.join("")
        .replace(/[ \t]+/g, " ")
        .trim() ?? "";
    this.parts = undefined;
    if (text === "" || this.shape === "repeated") return;
    if (this.row !== undefined) {
      const cell = this.row.pop() ?? "";
      this.row.push(cell === "" ? text : `${cell} ${text}`);
      return;
    }
    if (this.shape === "title") this.title ??= text.replace(/\s+/g, " ");
    this.blocks.push(this.shape === "title" ? { text, heading: true } : { text });
    this.lastWasRow = false;
  }
}

function shapeOf(placeholder: string | undefined): "title" | "repeated" | "other" {
  if (placeholder === "title" || placeholder === "ctrTitle") return "title";
  return placeholder !== undefined && REPEATED.has(placeholder) ? "repeated" : "other";
}
