import { setImmediate } from "node:timers/promises";
import { Parser, type ParserOptions } from "htmlparser2";
import { cancelled } from "../errors.js";
import { said } from "../said.js";
import type { Block } from "./sections.js";

/**
 * HTML to blocks of text, in one pass over the events of a parser that neither runs scripts nor fetches anything: the
 * work is in proportion to the text, however deep its elements nest.
 */

const SKIPPED = new Set(
  "script style template noscript iframe object embed svg math audio video canvas select datalist".split(" "),
);
const BLOCKS = new Set(
  (
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure footer " +
    "form header hr html legend li main nav ol p pre section summary table tbody tfoot thead tr ul"
  ).split(" "),
);
const HEADING = /^h[1-6]$/;
/** Deeper elements come from no author; the parser's time for a closing tag grows with the depth. */
const DEEPEST = 10_000;
const CHUNK_CHARACTERS = 64 * 1024;
/** For one file: honest ones take a few seconds at most. */
const MAX_MILLISECONDS = 30_000;
/** Deeper lists are indented no further. */
const DEEPEST_INDENT = 8;

interface List {
  readonly ordered: boolean;
  items: number;
}

export interface HtmlOptions {
  readonly xml?: boolean;
  readonly signal?: AbortSignal;
}

export interface HtmlText {
  /** Of <title>; "" when there is none. */
  readonly title: string;
  readonly blocks: Block[];
  /** How many elements it has, and how deep they nest. */
  readonly elements: number;
  readonly depth: number;
}

/**
 * The text of an HTML page or fragment as blocks: headings, paragraphs, list items with their marks, table rows with
 * two spaces between cells, preformatted text as it is. Hidden elements and scripts are left out.
 * `xml`: XHTML as EPUB demands it, where <script/> and <title/> are whole elements.
 * @throws Error when it nests too deeply or takes too long; PrecisError cancelled
 */
export async function htmlBlocks(html: string, { xml = false, signal }: HtmlOptions = {}): Promise<HtmlText> {
  const reader = new HtmlReader();
  // A document type's own declarations, which XML allows: an HTML parser would take their end for text.
  const text = xml ? html.replace(/<!DOCTYPE[^[>]*\[[\s\S]*?\]\s*>/i, "") : html;
  await parse(text, reader, { recognizeSelfClosing: xml, recognizeCDATA: xml }, signal);
  return reader.result();
}

/** Feeds the parser in portions, so that a cancel is heard and a hostile file does not hold the thread. */
async function parse(text: string, to: XmlHandler, options: ParserOptions, signal?: AbortSignal): Promise<void> {
  let depth = 0;
  const parser = new Parser(
    {
      onopentag: (name, attributes) => {
        if (++depth > DEEPEST) throw new Error(said`its elements nest too deeply`);
        to.open?.(local(name), attributes);
      },
      onclosetag: (name) => {
        depth--;
        to.close?.(local(name));
      },
      ontext: (part) => to.text?.(part),
    },
    { decodeEntities: true, ...options },
  );
  const started = performance.now();
  for (let at = 0; at < text.length; at += CHUNK_CHARACTERS) {
    if (signal?.aborted) throw cancelled();
    if (performance.now() - started > MAX_MILLISECONDS) throw new Error(said`it takes too long to read`);
    parser.write(text.slice(at, at + CHUNK_CHARACTERS));
    await setImmediate();
  }
  parser.end();
}

/** The name without its namespace's prefix. */
function local(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

class HtmlReader implements XmlHandler {
  private readonly blocks: Block[] = [];
  private title = "";
  private parts: string[] = [];
  private heading = false;
  private row = false;
  private pre = 0;
  private cells = 0;
  private readonly lists: List[] = [];
  /** The mark of a list's item, until its first text. */
  private mark = "";
  private last: "item" | "row" | undefined;
  /** Open elements inside a skipped one, itself included; 0 outside. */
  private skipped = 0;
  private inTitle = false;
  private elements = 0;
  private depth = 0;
  private deepest = 0;

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    this.elements++;
    this.deepest = Math.max(this.deepest, ++this.depth);
    if (this.skipped > 0) {
      this.skipped++;
      return;
    }
    if (SKIPPED.has(name) || isHidden(attributes)) {
      this.skipped = 1;
      return;
    }
    if (name === "title") {
      this.inTitle = true;
      this.skipped = 1;
    } else if (name === "br") {
      this.parts.push("\n");
    } else if (name === "td" || name === "th") {
      if (this.cells++ > 0) this.parts.push("\t");
    } else if (BLOCKS.has(name) || HEADING.test(name)) {
      this.begin(name);
    }
  }

  close(name: string): void {
    this.depth--;
    if (this.skipped > 0) {
      this.skipped--;
      this.inTitle = false;
      return;
    }
    if (name === "pre") {
      this.end();
      this.pre = Math.max(0, this.pre - 1);
    } else if (BLOCKS.has(name) || HEADING.test(name)) {
      if (name === "ol" || name === "ul") this.lists.pop();
      this.endInside(name);
    }
  }

  text(text: string): void {
    if (this.inTitle) this.title += text;
    else if (this.skipped === 0) this.parts.push(this.pre > 0 ? text : text.replace(/[ \t\n\r\f]+/g, " "));
  }

  result(): HtmlText {
    this.end();
    const title = this.title.replace(/\s+/g, " ").trim();
    return { title, blocks: this.blocks, elements: this.elements, depth: this.deepest };
  }

  private begin(name: string): void {
    // A cell's paragraphs stay in its row.
    if (this.row && name !== "tr" && name !== "table") {
      this.parts.push(" ");
      return;
    }
    this.end();
    if (name === "pre") this.pre++;
    if (name === "tr") {
      this.row = true;
      this.cells = 0;
    }
    if (name === "ol" || name === "ul") this.lists.push({ ordered: name === "ol", items: 0 });
    if (name === "li") this.mark = this.itemMark();
    this.heading = HEADING.test(name) || (this.heading && name === "div");
  }

  private endInside(name: string): void {
    if (this.row && name !== "tr" && name !== "table") this.parts.push(" ");
    else this.end();
    if (name === "li") this.mark = "";
    if (HEADING.test(name)) this.heading = false;
  }

  private itemMark(): string {
    const list = this.lists.at(-1);
    const indent = "  ".repeat(Math.min(DEEPEST_INDENT, Math.max(0, this.lists.length - 1)));
    if (list === undefined) return "- ";
    list.items++;
    return `${indent}${list.ordered ? `${list.items}. ` : "- "}`;
  }

  private end(): void {
    const text = this.pre > 0 ? this.parts.join("").replace(/^\n+|\s+$/g, "") : tidy(this.parts.join(""), this.row);
    const kind = this.row ? "row" : this.mark !== "" ? "item" : undefined;
    if (text.trim() !== "") {
      const close = kind !== undefined && kind === this.last;
      this.blocks.push({
        text: this.mark + text,
        ...(this.heading ? { heading: true } : {}),
        ...(close ? { close: true } : {}),
      });
      this.last = kind;
      this.mark = "";
    }
    this.parts = [];
    this.row = false;
    this.cells = 0;
  }
}

/** One space between words, two between the cells of a row, no space around line breaks. */
function tidy(text: string, row: boolean): string {
  if (row) {
    return text
      .split("\t")
      .map((cell) => cell.replace(/\s+/g, " ").trim())
      .join("  ")
      .trimEnd();
  }
  return text
    .replace(/[ \t\u00a0]+/g, " ")
    .replace(/ ?\n ?/g, "\n")
    .trim();
}

function isHidden(attributes: Readonly<Record<string, string>>): boolean {
  return attributes.hidden !== undefined || /display\s*:\s*none|visibility\s*:\s*hidden/i.test(attributes.style ?? "");
}

/** A handler of an XML file's elements, by their names without prefix. */
export interface XmlHandler {
  open?(name: string, attributes: Readonly<Record<string, string>>): void;
  close?(name: string): void;
  text?(text: string): void;
}

/**
 * Walks through XML. Entities of a document type definition are never expanded (the parser knows none), external ones
 * never fetched; attributes keep their prefixes.
 */
export function walkXml(xml: string, handler: XmlHandler, signal?: AbortSignal): Promise<void> {
  return parse(xml, handler, { xmlMode: true }, signal);
}
