import { PrecisError } from "../errors.js";
import { said } from "../said.js";
import type { Source, SourceDocument } from "./document.js";
import { walkXml, type XmlHandler } from "./markup.js";
import { titleIn } from "./office.js";
import type { Block } from "./sections.js";
import { sectionsOf } from "./text.js";
import type { ZipArchive } from "./zip.js";

/** Not the text itself: comments, what tracked changes removed, indexes' templates, forms' and scripts' insides. */
const SKIPPED = new Set([
  "annotation",
  "note-citation",
  "tracked-changes",
  "index-source",
  "table-of-content-source",
  "event-listeners",
  "forms",
  "desc",
  "title",
]);

/** Reads an OpenDocument text (ODF 1.3 part 3): paragraphs, headings, lists, tables, notes. Its pages are sections. */
export async function readOdt({ path, name }: Source, zip: ZipArchive, signal?: AbortSignal): Promise<SourceDocument> {
  if (zip.has("META-INF/manifest.xml") && (await zip.readText("META-INF/manifest.xml")).includes("encryption-data")) {
    throw new PrecisError(
      "file-encrypted",
      said`"${name}" is protected by a password.`,
      said`Save a copy without a password, and open that.`,
    );
  }
  const text = new OdtText();
  await walkXml(await zip.readText("content.xml"), text, signal);
  return { path, title: await titleIn(zip, "meta.xml", path), kind: "odt", ...sectionsOf(text.blocks), warnings: [] };
}

class OdtText implements XmlHandler {
  readonly blocks: Block[] = [];
  /** Paragraphs being read: a note's or a text box's stand inside another one. */
  private readonly paragraphs: { parts: string[]; heading: boolean }[] = [];
  private readonly rows: string[][] = [];
  private lists = 0;
  private notes = 0;
  private mark = false;
  private body = false;
  private skipped = 0;
  private last: "item" | "row" | undefined;

  open(name: string): void {
    if (this.skipped > 0 || SKIPPED.has(name)) {
      this.skipped++;
      return;
    }
    const paragraph = this.paragraphs.at(-1);
    switch (name) {
      case "body":
        this.body = true;
        break;
      case "p":
      case "h":
        if (this.body) this.paragraphs.push({ parts: [], heading: name === "h" });
        break;
      case "s":
      case "tab":
        paragraph?.parts.push(" ");
        break;
      case "line-break":
        paragraph?.parts.push("\n");
        break;
      case "list":
        this.lists++;
        break;
      case "list-item":
        this.mark = true;
        break;
      case "table-row":
        this.rows.push([]);
        break;
      case "table-cell":
        this.rows.at(-1)?.push("");
        break;
      case "note-body":
        this.notes++;
        break;
    }
  }

  close(name: string): void {
    if (this.skipped > 0) {
      this.skipped--;
      return;
    }
    if (name === "list") this.lists--;
    else if (name === "note-body") this.notes--;
    else if (name === "p" || name === "h") this.endParagraph();
    else if (name === "table-row") {
      const row = this.rows.pop()?.join("  ").trimEnd() ?? "";
      if (this.rows.length > 0) this.toCell(row);
      else this.add(row, "row");
    }
  }

  text(text: string): void {
    if (this.skipped === 0) this.paragraphs.at(-1)?.parts.push(text.replace(/\s+/g, " "));
  }

  private endParagraph(): void {
    const ended = this.paragraphs.pop();
    if (ended === undefined) return;
    const text = ended.parts
      .join("")
      .replace(/ {2,}/g, " ")
      .replace(/ ?\n ?/g, "\n")
      .trim();
    const outer = this.paragraphs.at(-1);
    // A note is read where its mark stands.
    if (this.notes > 0 && outer !== undefined) outer.parts.push(` (${text})`);
    else if (this.rows.length > 0) this.toCell(text.replaceAll("\n", " "));
    else if (this.lists > 0 && !ended.heading) {
      this.add(`${"  ".repeat(Math.min(8, this.lists - 1))}${this.mark ? "- " : ""}${text}`, "item");
      this.mark = false;
    } else this.add(text, undefined, ended.heading);
  }

  private toCell(text: string): void {
    const row = this.rows.at(-1) as string[];
    const cell = row.pop() ?? "";
    row.push(cell === "" ? text : `${cell} ${text}`);
  }

  private add(text: string, kind: "item" | "row" | undefined, heading = false): void {
    if (text.replace(/^ *- /, "").trim() === "") return;
    const close = kind !== undefined && kind === this.last;
    this.blocks.push({ text, ...(heading ? { heading } : {}), ...(close ? { close } : {}) });
    this.last = kind;
  }
}
