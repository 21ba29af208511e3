/** The exports that need no window, by the file name's ending. */
import { extname } from "node:path";
import type { SummaryResult } from "../summarize/result.js";
import { summaryHtml } from "./html.js";
import { summaryJson } from "./json.js";
import { summaryMarkdown } from "./markdown.js";

type Writer = (result: SummaryResult) => string | Promise<string | Uint8Array>;

export const fileFormats = ["md", "html", "docx", "json"] as const;
export type FileFormat = (typeof fileFormats)[number];

const writers: Readonly<Record<FileFormat, Writer>> = {
  md: (result) => summaryMarkdown(result),
  html: (result) => summaryHtml(result),
  // Its library is large, and most runs write no such file.
  docx: async (result) => (await import("./docx.js")).summaryDocx(result),
  json: summaryJson,
};

/** The format that a file's name asks for; undefined when it names none of these. */
export function formatOf(path: string): FileFormat | undefined {
  const ending = extname(path).slice(1).toLowerCase();
  return fileFormats.find((format) => format === ending);
}

/** The whole file. */
export async function fileOf(result: SummaryResult, format: FileFormat): Promise<string | Uint8Array> {
  return writers[format](result);
}
