/** What leaves the window: files in every format, the clipboard, paper. All are made from the one result object. */
import { fileOf } from "../core/report/formats.js";
import { proseHtml, summaryHtml } from "../core/report/html.js";
import { proseMarkdown } from "../core/report/markdown.js";
import { reportOf } from "../core/report/report.js";
import { writeFileAtomically } from "../core/write.js";
import type { ExportFormat, SummaryResult, SummaryToCopy } from "./contract.js";
import { pdfOf, print } from "./print.js";

export async function writeSummary(path: string, format: ExportFormat, result: SummaryResult): Promise<void> {
  const content = format === "pdf" ? await pdfOf(summaryHtml(result)) : await fileOf(result, format);
  await writeFileAtomically(path, content);
}

export function summaryToCopy(result: SummaryResult): SummaryToCopy {
  const report = reportOf(result);
  return { html: proseHtml(report), text: proseMarkdown(report) };
}

export const printSummary = (result: SummaryResult): Promise<boolean> => print(summaryHtml(result));
