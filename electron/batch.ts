import { access } from "node:fs/promises";
import path from "node:path";
import { PrecisError } from "../core/errors.js";
import type { ExportedSummaries, ExportFormat, StoredRun, Summarised } from "./contract.js";
import { t } from "./language.js";
import { wireError } from "./wire-error.js";

export interface BatchParts {
  lastRun(path: string): Promise<StoredRun | undefined>;
  writeSummary(path: string, format: ExportFormat, summarised: Summarised): Promise<void>;
}

/** "harbour-report.pdf" -> "harbour-report summary.docx". */
export function suggestedName(documentPath: string, format: ExportFormat): string {
  const name = documentPath.split(/[\\/]/).pop() ?? "";
  const words = t("files.summary", { name: name.replace(/\.[^.]+$/, "") || t("files.document") });
  return `${words}.${format}`;
}

/**
 * Saves the last summary of each document into a folder, under names that are free there. One that fails does not keep
 * the others from being saved.
 */
export async function exportSummaries(
  paths: readonly string[],
  format: ExportFormat,
  folder: string,
  { lastRun, writeSummary }: BatchParts,
): Promise<ExportedSummaries> {
  const written: string[] = [];
  const failed: { path: string; error: ReturnType<typeof wireError> }[] = [];
  for (const document of paths) {
    try {
      const run = await lastRun(document);
      if (!run) {
        throw new PrecisError("usage", t("errors.noSummary"), t("errors.summariseFirst"));
      }
      const name = await freeName(folder, suggestedName(document, format));
      await writeSummary(path.join(folder, name), format, run);
      written.push(name);
    } catch (thrown) {
      failed.push({ path: document, error: wireError(thrown) });
    }
  }
  return { folder, written, failed };
}

/** "minutes summary.pdf", or "minutes summary (2).pdf" when there is such a file. */
async function freeName(folder: string, name: string): Promise<string> {
  const { name: stem, ext } = path.parse(name);
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? name : `${stem} (${number})${ext}`;
    const taken = await access(path.join(folder, candidate)).then(
      () => true,
      () => false,
    );
    if (!taken) return candidate;
  }
}
