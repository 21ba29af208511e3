import { useState } from "react";
import type { DocumentSummary, ModelSummary, SummaryResult } from "../../electron/contract.js";
import { fullKvBytes } from "../../electron/contract.js";
import { useApp } from "../stores/connect.js";
import type { OpenDocument } from "../stores/documents.js";
import { useModel } from "../stores/model.js";
import { useRuns } from "../stores/runs.js";
import { useSettings } from "../stores/settings.js";
import { formatBytes, formatCount, plural, scanLanguageName, unitNames } from "../view/format.js";
import { Coverage } from "./Coverage.js";
import { Pages } from "./pages/Pages.js";

const kinds = {
  pdf: "PDF",
  docx: "Word",
  pptx: "PowerPoint",
  odt: "OpenDocument",
  epub: "EPUB",
  html: "HTML",
  text: "Plain text",
  markdown: "Markdown",
} as const;

/** The selected document: its pages, and above them, folded, what is known of it. */
export function DocumentPane({ document }: { document: OpenDocument }) {
  const result = useRuns((store) => store.runs[document.id]?.result);
  const { summary } = document;
  return (
    <section className="document" aria-label="Document">
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
        {kinds[kind]} · {plural(pages, unit)} · {formatCount(tokens)} tokens
        {warnings.length > 0 && (
          <>
            {" · "}
            <span className="about-warnings">{plural(warnings.length, "warning")}</span>
          </>
        )}
      </summary>
      <p className="path">{document.path}</p>
      {model && <DocumentFacts summary={summary} model={model} />}
      {!result && <Coverage coverage={coverage} before />}
      {kind === "pdf" && <ScannedIn />}
      {warnings.length > 0 && (
        <ul className="warnings" aria-label="Warnings about this document">
          {warnings.map((warning) => (
            <li key={warning}>{warning}</li>
          ))}
        </ul>
      )}
    </details>
  );
}

/** Which languages its scanned pages were recognised in; only a PDF has such pages. */
function ScannedIn() {
  const languages = useSettings((store) => store.scanLanguages);
  const showScanLanguages = useApp((store) => store.showScanLanguages);
  return (
    <p className="small scanned-in">
      Scanned pages are taken for {new Intl.ListFormat("en").format(languages.map(scanLanguageName))}.
      <button type="button" className="quiet" onClick={() => showScanLanguages(true)}>
        Change…
      </button>
    </p>
  );
}

function DocumentFacts({ summary, model }: { summary: DocumentSummary; model: ModelSummary }) {
  const promptTokens = summary.tokens + summary.promptTokens;
  const share = promptTokens / model.contextLength;
  return (
    <>
      <dl className="facts">
        <div>
          <dt>Kind</dt>
          <dd>{kinds[summary.kind]}</dd>
        </div>
        <div>
          <dt>{unitNames[summary.unit]}</dt>
          <dd>{formatCount(summary.pages)}</dd>
        </div>
        <div>
          <dt>Tokens</dt>
          <dd>{formatCount(summary.tokens)}</dd>
        </div>
        <div>
          <dt>Full cache</dt>
          <dd>{formatBytes(fullKvBytes(model, promptTokens))}</dd>
        </div>
      </dl>
      <div className="context" data-over={share > 1}>
        <meter value={Math.min(1, share)} max={1} aria-label="Share of the model's context that this document takes" />
        <p>{Math.ceil(share * 100)} % of the model’s context</p>
      </div>
    </>
  );
}
