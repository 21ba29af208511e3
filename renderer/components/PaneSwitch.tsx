import { t } from "../../electron/language.js";
import type { OpenDocument } from "../stores/documents.js";
import { usePages } from "../stores/pages.js";
import { useRuns } from "../stores/runs.js";
import { formatFraction } from "../view/format.js";

/** Where there is room for only one of the two panes: which, and how far the work in the other one is. */
export function PaneSwitch({ document }: { document: OpenDocument }) {
  const { side, show } = usePages();
  const run = useRuns((store) => store.runs[document.id]);
  const reading = run?.phase === "reading" ? run.progress : undefined;
  // Opening, too, is told of where the summary will be.
  const working = document.state === "opening" ? document.progress : reading;
  return (
    <div className="pane-switch only-narrow">
      <fieldset className="segmented" aria-label={t("documents.shownPane")}>
        <button type="button" aria-pressed={side === "document"} onClick={() => show("document")}>
          {t("documents.document")}
        </button>
        <button type="button" aria-pressed={side === "summary"} onClick={() => show("summary")}>
          {t("summary.title")}
          {working && ` ${formatFraction(working.fraction)}`}
        </button>
      </fieldset>
    </div>
  );
}
