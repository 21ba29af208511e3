import { useState } from "react";
import type { DocumentSummary, ModelSummary, SummaryResult } from "../../electron/contract.js";
import { fullKvBytes } from "../../electron/core.js";
import { t } from "../../electron/language.js";
import { translated } from "../../electron/translation.js";
import { useApp } from "../stores/connect.js";
import type { OpenDocument } from "../stores/documents.js";
import { useModel } from "../stores/model.js";
import { useRuns } from "../stores/runs.js";
import { useSettings } from "../stores/settings.js";
import { formatBytes, formatList, formatPercent, plural, scanLanguageName } from "../view/format.js";
import { Coverage } from "./Coverage.js";
import { Pages } from "./pages/Pages.js";

const kindName = (kind: DocumentSummary["kind"]): string => t(`kinds.${kind}`);

/** The selected document: its pages, and above them, folded, what is known of it. */
export function DocumentPane({ document }: { document: OpenDocument }) {
  const result = useRuns((store) => store.runs[document.id]?.result);
  const { summary } = document;
  return (
    <section className="document" aria-label={t("documents.document")}>
      <header className="document-head">
        <h1 title={document.path}>{summary?.title || document.name}</h1>
      </header>
      {/* Warnings, once there are any, unfold it. */}
      {summary && <About key={summary.warnings.join()} document={document} summary={summary} result={result} />}
      <Pages key={document.id} document={document} />
    </section>
  );
}

interface AboutProps {
  readonly document: OpenDocument;
  readonly summary: DocumentSummary;
  readonly result: SummaryResult | undefined;
}

function About({ document, summary, result }: AboutProps) {
  const model = useModel((store) => store.model);
  const { kind, unit, pages, tokens, coverage, warnings } = summary;
  const [open, setOpen] = useState(warnings.length > 0 && !result);
  return (
    <details className="about" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {[kindName(kind), plural(pages, unit), t("documents.tokens", { count: tokens })].join(" · ")}
        {warnings.length > 0 && (
          <>
            {" · "}
            <span className="about-warnings">{plural(warnings.length, "warning")}</span>
          </>
        )}
      </summary>
      {warnings.length > 0 && (
        <ul className="warnings" aria-label={t("documents.warnings")}>
          {warnings.map((warning) => (
            <li key={warning}>{translated(warning)}</li>
          ))}
        </ul>
      )}
      <p className="path">{document.path}</p>
      {model && <DocumentFacts summary={summary} model={model} />}
      {!result && <Coverage coverage={coverage} before />}
      {kind === "pdf" && <ScannedIn />}
    </details>
  );
}

/** Which languages its scanned pages were recognised in; only a PDF has such pages. */
function ScannedIn() {
  const languages = useSettings((store) => store.scanLanguages);
  const showScanLanguages = useApp((store) => store.showScanLanguages);
  return (
    <p className="small linked">
      {t("documents.scannedIn", { languages: formatList(languages.map(scanLanguageName)) })}{" "}
      <button type="button" className="quiet" onClick={() => showScanLanguages(true)}>
        {t("documents.change")}
      </button>
    </p>
  );
}

/** What the line above does not say already. */
function DocumentFacts({ summary, model }: { summary: DocumentSummary; model: ModelSummary }) {
  const promptTokens = summary.tokens + summary.promptTokens;
  const share = promptTokens / model.contextLength;
  return (
    <div className="about-facts">
      <p title={t("documents.fullCacheAbout")}>
        {t("documents.fullCache")} <strong>{formatBytes(fullKvBytes(model, promptTokens))}</strong>
      </p>
      <div className="context" data-over={share > 1}>
        <meter value={Math.min(1, share)} max={1} aria-label={t("documents.contextShare")} />
        <p>{t("documents.context", { share: formatPercent(Math.ceil(share * 100)) })}</p>
      </div>
    </div>
  );
}
