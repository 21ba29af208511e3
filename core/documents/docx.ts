import { said } from "../said.js";
import type { Source, SourceDocument } from "./document.js";
import { htmlBlocks } from "./markup.js";
import { titleIn } from "./office.js";
import { sectionsOf } from "./text.js";
import type { ZipArchive } from "./zip.js";

/** Larger ones would take gigabytes as a tree. */
const MAX_XML_BYTES = 24 * 2 ** 20;

/**
 * Reads a Word document: paragraphs, headings, lists, tables, foot- and endnotes, without what tracked changes have
 * deleted. Its pages are sections: a DOCX has pages only once a printer is chosen.
 */
export async function readDocx({ path }: Source, zip: ZipArchive, signal?: AbortSignal): Promise<SourceDocument> {
  const { default: mammoth } = await import("mammoth");
  const { value: html, messages } = await mammoth.convertToHtml(
    { buffer: await textParts(zip) },
    {
      // Comments are others' words about the text, not the text.
      styleMap: ["p[style-name='Title'] => h1:fresh", "p[style-name='Subtitle'] => p:fresh"],
      // Pictures are not in the archive that mammoth is given.
      convertImage: mammoth.images.imgElement(async () => ({ src: "" })),
    },
  );
  const failed = messages.find((message) => message.type === "error" && !/image|picture/i.test(message.message));
  const { blocks } = await htmlBlocks(html, { signal });
  return {
    path,
    title: await titleIn(zip, "docProps/core.xml", path),
    kind: "docx",
    ...sectionsOf(blocks),
    warnings: failed ? [said`Part of the document could not be read: ${failed.message}.`] : [],
  };
}

/** The archive's XML parts as an archive of their own: mammoth then never inflates what was not counted here. */
async function textParts(zip: ZipArchive): Promise<Buffer> {
  const { default: JSZip } = await import("jszip");
  const parts = new JSZip();
  let bytes = 0;
  for (const name of zip.names.filter((each) => /\.(xml|rels)$/i.test(each))) {
    const part = await zip.read(name);
    bytes += part.length;
    if (bytes > MAX_XML_BYTES) throw new Error(said`its text unpacks to more than ${MAX_XML_BYTES / 2 ** 20} MiB`);
    parts.file(name, part);
  }
  return parts.generateAsync({ type: "nodebuffer", compression: "STORE" });
}
