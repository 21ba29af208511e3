/** What leaves the window: files in every format, the clipboard, paper. All are made from what the library keeps. */
import { fileOf } from "../core/report/formats.js";
import { proseHtml, summaryHtml } from "../core/report/html.js";
import { proseMarkdown } from "../core/report/markdown.js";
import { reportOf } from "../core/report/report.js";
import { writeFileAtomically } from "../core/write.js";
import type { ExportFormat, Summarised, SummaryToCopy } from "./contract.js";
import { pdfOf, print } from "./print.js";

export async function writeSummary(path: string, format: ExportFormat, summarised: Summarised): Promise<void> {
  const { result, answers } = summarised;
  const content =
    format === "pdf" ? await pdfOf(summaryHtml(result, { answers })) : await fileOf(result, format, answers);
  await writeFileAtomically(path, content);
}

export function summaryToCopy({ result }: Summarised): SummaryToCopy {
  const report = reportOf(result);
  return { html: proseHtml(report), text: proseMarkdown(report) };
}

export const printSummary = ({ result, answers }: Summarised): Promise<boolean> =>
  print(summaryHtml(result, { answers }));
