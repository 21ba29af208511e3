/** What a PDF holds beside the text of its pages: bookmarks, filled forms, attachments. */
import type { PDFDocumentProxy } from "pdfjs-dist/legacy/build/pdf.mjs";
import { said } from "../said.js";
import type { OutlineEntry } from "./document.js";

type OutlineNode = Awaited<ReturnType<PDFDocumentProxy["getOutline"]>>[number];
type Destination = string | readonly unknown[] | null;

/** No honest table of contents is longer or deeper. */
const OUTLINE_LIMITS = { entries: 5_000, depth: 6 };

/** The bookmarks that lead to pages of the document, in their order; what is wrong with one leaves it out. */
export async function readOutline(pdf: PDFDocumentProxy, signal: AbortSignal | undefined): Promise<OutlineEntry[]> {
  const entries: OutlineEntry[] = [];
  const add = async (nodes: readonly OutlineNode[], level: number): Promise<void> => {
    for (const node of nodes) {
      signal?.throwIfAborted();
      if (entries.length >= OUTLINE_LIMITS.entries) return;
      const page = await pageOf(pdf, node.dest as Destination).catch(() => undefined);
      const title = node.title.replace(/\s+/g, " ").trim();
      if (page !== undefined && title !== "") entries.push({ title, page, level });
      if (level < OUTLINE_LIMITS.depth) await add(node.items as OutlineNode[], level + 1);
    }
  };
  await add((await pdf.getOutline().catch(() => null)) ?? [], 1);
  return entries;
}

async function pageOf(pdf: PDFDocumentProxy, destination: Destination): Promise<number | undefined> {
  const found = typeof destination === "string" ? await pdf.getDestination(destination) : destination;
  const target: unknown = found?.[0];
  if (typeof target === "number") return target >= 0 && target < pdf.numPages ? target + 1 : undefined;
  if (typeof target !== "object" || target === null) return undefined;
  const ref = target as Parameters<PDFDocumentProxy["getPageIndex"]>[0];
  // Every page was opened before, so this is a look-up and no walk through the tree of pages.
  return pdf.cachedPageNumber(ref) ?? (await pdf.getPageIndex(ref)) + 1;
}

interface Field {
  readonly name?: string;
  readonly page?: number;
  readonly type?: string;
  readonly value?: unknown;
}

/** What is filled into the form's fields, a "name: value" each, by the number of their page. pdf.js draws it as no text. */
export async function fieldValues(pdf: PDFDocumentProxy): Promise<Map<number, string[]>> {
  const values = new Map<number, string[]>();
  const fields = (await pdf.getFieldObjects().catch(() => null)) as Readonly<Record<string, readonly Field[]>> | null;
  for (const [name, widgets] of Object.entries(fields ?? {})) {
    // A field may show its value in several places.
    const field = widgets.find(({ page }) => page !== undefined && page >= 0);
    const value = field && filledIn(field);
    if (field?.page === undefined || value === undefined) continue;
    const lines = values.get(field.page + 1) ?? [];
    values.set(field.page + 1, lines);
    lines.push(`${name}: ${value}`);
  }
  return values;
}

function filledIn({ type, value }: Field): string | undefined {
  if (type === "button" || type === "signature") return undefined;
  if (type === "checkbox" || type === "radiobutton") {
    return typeof value === "string" && value !== "Off" && value !== "" ? value : undefined;
  }
  const text = (Array.isArray(value) ? value : [value]).filter((each) => typeof each === "string").join(", ");
  return text.trim() === "" ? undefined : text.replace(/\r\n?/g, "\n").trim();
}

/** Sentences about what the file holds that is no page of text. */
export async function unreadParts(pdf: PDFDocumentProxy): Promise<string[]> {
  const warnings: string[] = [];
  const attachments = (await pdf.getAttachments().catch(() => null)) as Readonly<
    Record<string, { filename?: string }>
  > | null;
  const names = Object.entries(attachments ?? {}).map(([key, { filename }]) => filename ?? key);
  if (names.length > 0) {
    const shown = names.slice(0, 5).map((name) => said`"${name}"`);
    const list = shown.join(", ");
    const more = names.length - shown.length;
    warnings.push(
      more > 0
        ? said`The files attached to it were not read: ${list} and ${more} more.`
        : said`The files attached to it were not read: ${list}.`,
    );
  }
  const info = (await pdf.getMetadata().catch(() => undefined))?.info as { IsXFAPresent?: boolean } | undefined;
  if (info?.IsXFAPresent) {
    warnings.push(said`It holds a dynamic form (XFA), whose fields may not all have been read.`);
  }
  return warnings;
}
