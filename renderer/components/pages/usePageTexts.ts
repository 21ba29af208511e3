import { useMemo } from "react";
import { pageTexts } from "../../page-texts.js";
import type { OpenDocument } from "../../stores/documents.js";

/** The texts of a document's pages as they were read; anew when the document was opened again. */
export function usePageTexts({ id, runId, state }: OpenDocument): ReturnType<typeof pageTexts> {
  // biome-ignore lint/correctness/useExhaustiveDependencies: another opening may have read other texts
  return useMemo(() => pageTexts(id), [id, runId, state]);
}
