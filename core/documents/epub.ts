import { cancelled, PrecisError } from "../errors.js";
import { said } from "../said.js";
import { type DocumentPage, failedPage, type Source, type SourceDocument, textPage } from "./document.js";
import { htmlBlocks, walkXml } from "./markup.js";
import { joinBlocks } from "./sections.js";
import { fileTitle } from "./text.js";
import { partName, type ZipArchive } from "./zip.js";

interface Item {
  readonly part: string;
  readonly type: string;
  readonly properties: string;
}

interface Package {
  readonly title: string;
  /** The reading order: the ids' items, undefined where the manifest has none. */
  readonly spine: readonly (Item | undefined)[];
  /** The table of contents: a navigation document (EPUB 3) or an NCX (EPUB 2). */
  readonly contents: Item | undefined;
}

/**
 * Reads an EPUB 2 or 3 book (https://www.w3.org/TR/epub-33/) in its reading order. Its pages are chapters: one for each
 * file of the spine, labelled by the table of contents or its own first heading.
 */
export async function readEpub({ path, name }: Source, zip: ZipArchive, signal?: AbortSignal): Promise<SourceDocument> {
  const book = await readPackage(zip, await packagePart(zip), signal);
  if (book.spine.length === 0) throw new Error(said`it has no reading order`);
  const locked = await encryptedParts(zip, signal);
  if (book.spine.some((item) => item && locked.has(item.part))) {
    throw new PrecisError(
      "file-encrypted",
      said`"${name}" is protected (DRM): its chapters are encrypted.`,
      said`Open a copy without protection.`,
    );
  }
  const labels = book.contents ? await contentsLabels(zip, book.contents.part, signal) : new Map<string, string>();
  const pages: DocumentPage[] = [];
  for (const [index, item] of book.spine.entries()) {
    pages.push(await readChapter(zip, index + 1, item, labels, signal));
  }
  return { path, title: book.title || fileTitle(path), kind: "epub", unit: "chapter", pages, warnings: [] };
}

async function readChapter(
  zip: ZipArchive,
  number: number,
  item: Item | undefined,
  labels: ReadonlyMap<string, string>,
  signal: AbortSignal | undefined,
): Promise<DocumentPage> {
  if (item === undefined) return failedPage(number, said`the book's list of files does not have it`);
  const label = labels.get(item.part);
  if (!/html|xml|dtbook/.test(item.type))
    return failedPage(number, item.type ? said`it is no text but ${item.type}` : said`it is of an unknown type`, label);
  try {
    const { blocks } = await htmlBlocks(await zip.readText(item.part), { xml: true, signal });
    return textPage(
      number,
      joinBlocks(blocks),
      label ?? blocks.find((block) => block.heading)?.text.replace(/\s+/g, " "),
    );
  } catch (thrown) {
    if (signal?.aborted) throw cancelled();
    return failedPage(number, thrown instanceof Error ? thrown.message : String(thrown), label);
  }
}

async function packagePart(zip: ZipArchive): Promise<string> {
  let part: string | undefined;
  const open = (name: string, attributes: Readonly<Record<string, string>>) => {
    if (name === "rootfile") part ??= attributes["full-path"];
  };
  await walkXml(await zip.readText("META-INF/container.xml"), { open });
  if (part === undefined) throw new Error(said`it names no package file`);
  return part;
}

async function readPackage(zip: ZipArchive, part: string, signal: AbortSignal | undefined): Promise<Package> {
  const items = new Map<string, Item>();
  const order: string[] = [];
  let toc: string | undefined;
  let title = "";
  let inTitle = false;
  await walkXml(
    await zip.readText(part),
    {
      open(name, attributes) {
        inTitle = name === "title" && title === "";
        const { id, href, idref } = attributes;
        if (name === "item" && id !== undefined && href !== undefined) {
          const { "media-type": type = "", properties = "" } = attributes;
          items.set(id, { part: partName(part, href), type, properties });
        } else if (name === "itemref" && idref !== undefined) {
          order.push(idref);
        } else if (name === "spine") {
          toc = attributes.toc;
        }
      },
      close: () => {
        inTitle = false;
      },
      text(text) {
        if (inTitle) title += text;
      },
    },
    signal,
  );
  const navigation = [...items.values()].find((item) => /\bnav\b/.test(item.properties));
  return {
    title: title.replace(/\s+/g, " ").trim(),
    spine: order.map((id) => items.get(id)),
    contents: navigation ?? items.get(toc ?? ""),
  };
}

/** Chapters' names by their parts; of several entries in one file the first counts. */
async function contentsLabels(
  zip: ZipArchive,
  part: string,
  signal: AbortSignal | undefined,
): Promise<Map<string, string>> {
  const labels = new Map<string, string>();
  if (!zip.has(part)) return labels;
  let text = "";
  let href: string | undefined;
  const add = (reference: string | undefined) => {
    const label = text.replace(/\s+/g, " ").trim();
    if (reference === undefined || label === "") return;
    const target = partName(part, reference);
    if (!labels.has(target)) labels.set(target, label);
  };
  await walkXml(
    await zip.readText(part),
    {
      open(name, attributes) {
        // EPUB 3: <a href>label</a>. EPUB 2: <text>label</text> in front of <content src>.
        if (name === "a") href = attributes.href;
        if (name === "a" || name === "text") text = "";
        if (name === "content") add(attributes.src);
      },
      close(name) {
        if (name === "a") add(href);
      },
      text(part) {
        text += part;
      },
    },
    signal,
  );
  return labels;
}

/** Parts that cannot be read without a key. Fonts are often obfuscated, which is no protection of the text. */
async function encryptedParts(zip: ZipArchive, signal: AbortSignal | undefined): Promise<Set<string>> {
  const parts = new Set<string>();
  const name = "META-INF/encryption.xml";
  if (!zip.has(name)) return parts;
  const open = (element: string, { URI }: Readonly<Record<string, string>>) => {
    if (element === "CipherReference" && URI !== undefined) parts.add(partName("", URI));
  };
  await walkXml(await zip.readText(name), { open }, signal);
  return parts;
}
