import { basename } from "node:path";
import { cancelled, PrecisError } from "../errors.js";
import { said } from "../said.js";
import { walkXml } from "./markup.js";
import { fileTitle } from "./text.js";
import { partName, type ZipArchive } from "./zip.js";

/** What the readers of zipped formats (DOCX, PPTX, ODT, EPUB) share. */

export interface Relationship {
  readonly type: string;
  /** The part's name in the archive. */
  readonly target: string;
}

/** The relationships of an Office Open XML part (ECMA-376 part 2, 6.5) by their ids; "" is the package itself. */
export async function relationships(
  zip: ZipArchive,
  part: string,
  signal?: AbortSignal,
): Promise<Map<string, Relationship>> {
  const folder = part.slice(0, part.lastIndexOf("/") + 1);
  const name = `${folder}_rels/${part.slice(folder.length)}.rels`;
  const found = new Map<string, Relationship>();
  if (!zip.has(name)) return found;
  const open = (element: string, { Id, Type = "", Target, TargetMode }: Readonly<Record<string, string>>) => {
    if (element !== "Relationship" || Id === undefined || Target === undefined || TargetMode === "External") return;
    found.set(Id, { type: Type.slice(Type.lastIndexOf("/") + 1), target: partName(part, Target) });
  };
  await walkXml(await zip.readText(name), { open }, signal);
  return found;
}

/** The package's main part, whatever it is called. */
export async function mainPart(zip: ZipArchive, fallback: string): Promise<string> {
  for (const { type, target } of (await relationships(zip, "")).values()) {
    if (type === "officeDocument") return target;
  }
  return fallback;
}

/** The title in a part of metadata (Dublin Core), or the file's name. */
export async function titleIn(zip: ZipArchive, part: string, path: string): Promise<string> {
  if (!zip.has(part)) return fileTitle(path);
  let title = "";
  let inside = false;
  await walkXml(await zip.readText(part), {
    open: (name) => {
      inside = name === "title" && title === "";
    },
    close: () => {
      inside = false;
    },
    text: (text) => {
      if (inside) title += text;
    },
  });
  return title.replace(/\s+/g, " ").trim() || fileTitle(path);
}

/** Runs a reader; what it throws becomes an error that names the file and what it is. */
export async function reading<T>(
  path: string,
  what: string,
  signal: AbortSignal | undefined,
  read: () => Promise<T>,
): Promise<T> {
  try {
    return await read();
  } catch (thrown) {
    if (signal?.aborted) throw cancelled();
    if (thrown instanceof PrecisError) throw thrown;
    const reason = (thrown instanceof Error ? thrown.message : String(thrown)).replace(/\.$/, "");
    throw new PrecisError(
      "file-damaged",
      said`"${basename(path)}" is a damaged ${what}: ${reason}.`,
      said`Get the file again, or open it in its own program and save it anew, or as a PDF.`,
      { cause: thrown },
    );
  }
}
