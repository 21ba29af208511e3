/** The exports that need no window, by the file name's ending. */
import { extname } from "node:path";
import type { Answer, SummaryResult } from "../summarize/result.js";
import { summaryHtml } from "./html.js";
import { summaryJson } from "./json.js";
import { summaryMarkdown } from "./markdown.js";

type Writer = (result: SummaryResult, answers: readonly Answer[]) => string | Promise<string | Uint8Array>;

export const fileFormats = ["md", "html", "docx", "json"] as const;
export type FileFormat = (typeof fileFormats)[number];

const writers: Readonly<Record<FileFormat, Writer>> = {
  md: (result, answers) => summaryMarkdown(result, { answers }),
  html: (result, answers) => summaryHtml(result, { answers }),
  // Its library is large, and most runs write no such file.
  docx: async (result, answers) => (await import("./docx.js")).summaryDocx(result, { answers }),
  json: summaryJson,
};

/** The format that a file's name asks for; undefined when it names none of these. */
export function formatOf(path: string): FileFormat | undefined {
  const ending = extname(path).slice(1).toLowerCase();
  return fileFormats.find((format) => format === ending);
}

/** The whole file. @param answers what was asked about the document */
export async function fileOf(
  result: SummaryResult,
  format: FileFormat,
  answers: readonly Answer[] = [],
): Promise<string | Uint8Array> {
  return writers[format](result, answers);
}
