import type { PDFPageProxy } from "pdfjs-dist/legacy/build/pdf.mjs";
import { memo, useCallback, useEffect, useRef, useState } from "react";
import { t } from "../../../electron/language.js";
import type { OpenPdf } from "../../pdf.js";
import { useLanguage } from "../../stores/settings.js";
import { pictureScale, type Size } from "../../view/page-layout.js";
import { type Marks, useMarks } from "./marks.js";
import { steadySelection } from "./selection.js";

interface Props {
  readonly file: OpenPdf;
  readonly number: number;
  /** CSS pixels that it is wide. */
  readonly width: number;
  /** Whether it is seen now, or only near. */
  readonly inSight: boolean;
  readonly marks: Marks;
  /** Hears how large the page is, in the file's units. */
  readonly onSize: (page: number, size: Size) => void;
}

/** Pages that are only passed on the way are not drawn; those in sight are drawn before their neighbours. */
const passedMs = 40;
const neighbourMs = 200;
/** Between the last change of the zoom and the new picture; until then the old one is stretched. */
const zoomedMs = 120;

/** One page of a PDF: its picture, and its words over it, unseen, to be selected and marked. */
export const PdfPage = memo(function PdfPage({ file, number, width, inSight, marks, onSize }: Props) {
  const [page, setPage] = useState<PDFPageProxy>();
  const [failed, setFailed] = useState(false);
  const wait = useRef(inSight ? passedMs : neighbourMs);

  useEffect(() => {
    let shown: PDFPageProxy | undefined;
    let current = true;
    const begin = async () => {
      shown = await file.pdf.getPage(number);
      if (!current) return;
      const { width, height } = shown.getViewport({ scale: 1 });
      onSize(number, { width, height });
      setPage(shown);
    };
    const timer = setTimeout(() => begin().catch(() => current && setFailed(true)), wait.current);
    return () => {
      current = false;
      clearTimeout(timer);
      shown?.cleanup();
    };
  }, [file, number, onSize]);

  useLanguage();
  const fail = useCallback(() => setFailed(true), []);
  if (failed) return <p className="page-failed">{t("pages.damaged")}</p>;
  if (!page) return null;
  return (
    <>
      <Picture page={page} width={width} onFailed={fail} />
      <Words file={file} page={page} width={width} marks={marks} />
    </>
  );
});

function Picture({ page, width, onFailed }: { page: PDFPageProxy; width: number; onFailed: () => void }) {
  const place = useRef<HTMLDivElement>(null);
  const [drawn, setDrawn] = useState(false);

  useEffect(() => {
    setDrawn(false);
    const canvas = document.createElement("canvas");
    let task: ReturnType<PDFPageProxy["render"]> | undefined;
    const draw = async () => {
      const viewport = page.getViewport({ scale: width / page.getViewport({ scale: 1 }).width });
      const scale = pictureScale(viewport, devicePixelRatio);
      canvas.width = Math.max(1, Math.round(viewport.width * scale));
      canvas.height = Math.max(1, Math.round(viewport.height * scale));
      task = page.render({ canvas, viewport, transform: [scale, 0, 0, scale, 0, 0] });
      // The first picture is seen while it is made.
      if (!place.current?.hasChildNodes()) place.current?.append(canvas);
      await task.promise;
      place.current?.replaceChildren(canvas);
      setDrawn(true);
    };
    const timer = setTimeout(
      () =>
        draw().catch((thrown) => {
          if (thrown instanceof Error && thrown.name === "RenderingCancelledException") return;
          onFailed();
        }),
      place.current?.hasChildNodes() ? zoomedMs : 0,
    );
    return () => {
      clearTimeout(timer);
      task?.cancel();
    };
  }, [page, width, onFailed]);

  return <div ref={place} className="page-picture" aria-busy={!drawn} />;
}

function Words({ file, page, width, marks }: { file: OpenPdf; page: PDFPageProxy; width: number; marks: Marks }) {
  const place = useRef<HTMLDivElement>(null);
  const [words, setWords] = useState<HTMLElement | null>(null);
  useMarks(page.pageNumber, words, marks);

  useEffect(() => {
    const layer = place.current;
    if (!layer) return;
    let current = true;
    let steady: (() => void) | undefined;
    const { done, cancel } = file.layText(page, layer);
    done.then(
      () => {
        if (!current) return;
        steady = steadySelection(layer);
        setWords(layer);
      },
      // The picture is there all the same; the search says which pages it could not look at.
      () => {},
    );
    return () => {
      current = false;
      cancel();
      steady?.();
      setWords(null);
      layer.replaceChildren();
    };
  }, [file, page]);

  const scale = width / page.getViewport({ scale: 1 }).width;
  const style = { "--total-scale-factor": scale, "--scale-round-x": "1px", "--scale-round-y": "1px" };
  return <div ref={place} className="page-words" style={style as React.CSSProperties} />;
}
