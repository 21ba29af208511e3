import { useEffect, useRef, useState } from "react";
import type { WireError } from "../../../electron/contract.js";
import { t } from "../../../electron/language.js";
import { translated } from "../../../electron/translation.js";
import { type OpenPdf, openPdf } from "../../pdf.js";
import type { OpenDocument } from "../../stores/documents.js";
import { PdfPages } from "./PdfPages.js";
import { TextPages } from "./TextPages.js";

type Source =
  | { readonly state: "opening" | "words" }
  | { readonly state: "pdf"; readonly file: OpenPdf }
  | { readonly state: "failed"; readonly error: WireError };

/** A document's pages. Those of a PDF are there as soon as its file is, before anything was read out of it. */
export function Pages({ document }: { document: OpenDocument }) {
  const source = useSource(document);
  switch (source.state) {
    case "opening":
      return <div className="pages" />;
    case "pdf":
      return <PdfPages document={document} file={source.file} />;
    case "failed":
      return <p className="pages-message">{translated(source.error.message)}</p>;
    case "words":
      return document.summary ? (
        <TextPages document={document} summary={document.summary} />
      ) : (
        <p className="pages-message">{document.state === "opening" ? t("pages.opening") : t("pages.notOpened")}</p>
      );
  }
}

function useSource({ path, runId }: OpenDocument): Source {
  const [source, setSource] = useState<Source>({ state: "opening" });
  const [attempt, setAttempt] = useState(0);
  const opened = useRef(runId);

  // What could not be shown is tried again when the document is opened again.
  useEffect(() => {
    if (source.state === "failed" && opened.current !== runId) setAttempt((before) => before + 1);
    opened.current = runId;
  }, [source, runId]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each attempt opens it
  useEffect(() => {
    let current = true;
    let file: OpenPdf | undefined;
    setSource({ state: "opening" });
    const fail = (error: WireError) => current && setSource({ state: "failed", error });
    void openPdf(path, fail).then((outcome) => {
      if (!outcome.ok) return fail(outcome.error);
      file = outcome.value;
      if (!current) file?.close();
      else setSource(file ? { state: "pdf", file } : { state: "words" });
    });
    return () => {
      current = false;
      file?.close();
    };
  }, [path, attempt]);
  return source;
}
