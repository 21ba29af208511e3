import { type CSSProperties, useCallback, useMemo, useState } from "react";
import type { DocumentSummary } from "../../../electron/contract.js";
import { t } from "../../../electron/language.js";
import { translated } from "../../../electron/translation.js";
import type { OpenDocument } from "../../stores/documents.js";
import { usePages } from "../../stores/pages.js";
import { TextPage } from "./TextPage.js";
import { usePageTexts } from "./usePageTexts.js";
import { Viewer } from "./Viewer.js";

/** CSS pixels; for pages that nobody has seen yet, until one has been. */
const usualHeight = 640;

/** The words of a document that has no pages to be printed: as they were read, section by section. */
export function TextPages({ document, summary }: { document: OpenDocument; summary: DocumentSummary }) {
  const zoom = usePages((store) => store.zoom);
  const [heights, setHeights] = useState<ReadonlyMap<number, number>>(new Map());
  const readText = usePageTexts(document);
  const { unit, pages, coverage } = summary;

  const onHeight = useCallback((page: number, height: number) => {
    setHeights((before) => (before.get(page) === height ? before : new Map(before).set(page, height)));
  }, []);
  const boxes = useMemo(() => {
    const seen = [...heights.values()];
    const usual = seen.length > 0 ? seen.reduce((sum, height) => sum + height, 0) / seen.length : usualHeight;
    return Array.from({ length: pages }, (_, index) => ({ height: heights.get(index + 1) ?? usual }));
  }, [heights, pages]);
  const unread = useMemo(() => new Map(coverage.failed.map(({ page, reason }) => [page, reason])), [coverage]);
  const textOf = useCallback(
    async (page: number) => {
      const outcome = await readText(page);
      if (outcome.ok && !unread.has(page)) return outcome.value.text;
      throw new Error(outcome.ok ? unread.get(page) : outcome.error.message);
    },
    [readText, unread],
  );
  const shown = zoom === "fit" ? 1 : zoom;

  return (
    <div className="text-pages" style={{ "--text-zoom": shown } as CSSProperties}>
      <Viewer document={document} unit={unit} boxes={boxes} zoomOf={() => shown} textOf={textOf} onRoom={ignore}>
        {(page, _inSight, marks) => (
          <TextPage
            number={page}
            textOf={readText}
            without={
              unread.has(page)
                ? t("pages.notRead", { reason: translated(unread.get(page) ?? "") })
                : t(`${unit}.noText`)
            }
            marks={marks}
            onHeight={onHeight}
          />
        )}
      </Viewer>
    </div>
  );
}

/** Text takes the width that there is by itself. */
const ignore = () => {};
