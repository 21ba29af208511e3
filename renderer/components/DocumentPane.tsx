import type { DocumentSummary, ModelSummary } from "../../electron/contract.js";
import { fullKvBytes } from "../../electron/contract.js";
import { useApp } from "../stores/connect.js";
import type { OpenDocument } from "../stores/documents.js";
import { useModel } from "../stores/model.js";
import { useRuns } from "../stores/runs.js";
import { useSettings } from "../stores/settings.js";
import { formatBytes, formatCount, scanLanguageName, unitNames } from "../view/format.js";
import { Coverage } from "./Coverage.js";
import { RetentionChart } from "./RetentionChart.js";

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

/** What is known of the selected document, before and after it was read. */
export function DocumentPane({ document }: { document: OpenDocument }) {
  const model = useModel((store) => store.model);
  const result = useRuns((store) => store.runs[document.id]?.result);
  const { summary } = document;
  return (
    <section className="document" aria-label="Document">
      <h1>{summary?.title || document.name}</h1>
      {summary && (
        <p className="path" title={document.path}>
          {document.name}
        </p>
      )}
      {summary && model && <DocumentFacts summary={summary} model={model} />}
      {summary && !result && <Coverage coverage={summary.coverage} before />}
      {summary?.kind === "pdf" && <ScannedIn />}
      {summary && summary.warnings.length > 0 && (
        <ul className="warnings" aria-label="Warnings about this document">
          {summary.warnings.map((warning) => (
            <li key={warning}>{warning}</li>
          ))}
        </ul>
      )}
      {result && (
        <div className="only-wide">
          <RetentionChart result={result} />
        </div>
      )}
    </section>
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
