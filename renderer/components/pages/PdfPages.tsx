import { useCallback, useMemo, useState } from "react";
import { t } from "../../../electron/language.js";
import { translated } from "../../../electron/translation.js";
import { type OpenPdf, pdfText } from "../../pdf.js";
import type { OpenDocument } from "../../stores/documents.js";
import { usePages } from "../../stores/pages.js";
import { type Size, shownSize, shownSizes } from "../../view/page-layout.js";
import { PdfPage } from "./PdfPage.js";
import { ScannedPage } from "./ScannedPage.js";
import { usePageTexts } from "./usePageTexts.js";
import { Viewer } from "./Viewer.js";

/** Until the first page is known. */
const a4: Size = { width: 595, height: 842 };

/** The pages of a PDF as they are printed. */
export function PdfPages({ document, file }: { document: OpenDocument; file: OpenPdf }) {
  const zoom = usePages((store) => store.zoom);
  const [room, setRoom] = useState(0);
  const [known, setKnown] = useState<ReadonlyMap<number, Size>>(new Map());
  const readText = usePageTexts(document);
  const coverage = document.summary?.coverage;

  const onSize = useCallback((page: number, size: Size) => {
    setKnown((before) => {
      const { width, height } = before.get(page) ?? {};
      return width === size.width && height === size.height ? before : new Map(before).set(page, size);
    });
  }, []);
  const sizes = useMemo(() => {
    const usual = known.get(1) ?? [...known.values()][0] ?? a4;
    return Array.from({ length: file.pdf.numPages }, (_, index) => known.get(index + 1) ?? usual);
  }, [file, known]);
  const boxes = useMemo(() => shownSizes(sizes, zoom, room), [sizes, zoom, room]);

  const scans = useMemo(() => new Map(coverage?.ocr.map(({ page, confidence }) => [page, confidence])), [coverage]);
  const unread = useMemo(() => new Map(coverage?.failed.map(({ page, reason }) => [page, reason])), [coverage]);
  const textOf = useCallback(
    async (page: number) => {
      if (scans.has(page)) {
        const outcome = await readText(page);
        if (outcome.ok) return outcome.value.text;
        throw new Error(outcome.error.message);
      }
      const text = await pdfText(file.pdf, page);
      // A page without words may be a scan whose words are not known yet, or never will be.
      if (text.trim() === "" && (!coverage || unread.has(page))) throw new Error("It has not been read.");
      return text;
    },
    [file, readText, coverage, scans, unread],
  );

  return (
    <Viewer
      document={document}
      unit="page"
      boxes={boxes}
      zoomOf={(page) => shownSize(sizes[page - 1] ?? a4, zoom, room).zoom}
      textOf={textOf}
      onRoom={setRoom}
    >
      {(page, inSight, marks) => {
        const picture = (
          <PdfPage
            file={file}
            number={page}
            width={boxes[page - 1]?.width ?? 0}
            inSight={inSight}
            marks={marks}
            onSize={onSize}
          />
        );
        const confidence = scans.get(page);
        if (confidence !== undefined) {
          return (
            <ScannedPage number={page} confidence={confidence} textOf={readText} marks={marks}>
              {picture}
            </ScannedPage>
          );
        }
        const reason = unread.get(page);
        return (
          <>
            {picture}
            {reason && <p className="page-note">{t("pages.notRead", { reason: translated(reason) })}</p>}
          </>
        );
      }}
    </Viewer>
  );
}
