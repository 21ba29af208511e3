import type { ModelSummary } from "../../electron/contract.js";
import { modelName } from "../../electron/core.js";
import { t } from "../../electron/language.js";
import { chooseFiles, openSample } from "../actions.js";
import { withModifier } from "../keys.js";
import { useApp } from "../stores/connect.js";
import { useModel } from "../stores/model.js";
import { useModels } from "../stores/models.js";
import { useViews } from "../stores/views.js";
import { formatCount, formatFraction } from "../view/format.js";
import { ErrorNote } from "./ErrorNote.js";

/** What to do first, and what this model can read. */
export function EmptyState() {
  const sample = useApp((store) => store.sample);
  const { model, state, error, fraction, ready } = useModel();
  const show = useViews((store) => store.show);
  // With the memory that is free now.
  const pages = useModels((store) => store.models?.find(({ chosen }) => chosen)?.reads.pages);
  return (
    <main className="empty">
      <div className="empty-sheet">
        <PageMark />
        <h1>{t("empty.title")}</h1>
        <p className="lead">{t("empty.lead")}</p>
        <div className="buttons">
          <button type="button" className="primary" onClick={() => void chooseFiles()}>
            {t("common.openDocuments")} <kbd>{withModifier("O")}</kbd>
          </button>
          <button type="button" disabled={!sample} onClick={openSample}>
            {t("empty.sample")}
          </button>
        </div>
        {state === "failed" && error ? (
          <ErrorNote
            title={t("empty.notLoaded")}
            error={error}
            steps={[
              { label: t("common.models"), act: () => show("models") },
              { label: t("common.tryAgain"), act: () => void ready() },
            ]}
          />
        ) : (
          <p className="small">
            {model ? readsWords(model, pages) : t("models.loading", { share: formatFraction(fraction) })}
          </p>
        )}
      </div>
    </main>
  );
}

function readsWords({ id, contextLength }: ModelSummary, pages: number | undefined): string {
  return pages
    ? t("empty.readsPages", { model: modelName(id), count: pages })
    : t("empty.reads", { model: modelName(id), tokens: formatCount(contextLength) });
}

/** A page whose lines shorten to a few: what Precis does, as its icon shows it. */
function PageMark() {
  return (
    <svg className="page-mark" viewBox="0 0 72 84" aria-hidden="true">
      <path className="sheet" d="M8 4h40l16 16v60H8z" />
      <path className="fold" d="M48 4v16h16" />
      <path className="line" d="M18 30h36M18 38h36M18 46h36M18 54h36" />
      <path className="kept" d="M18 38h22M18 66h28" />
    </svg>
  );
}
