import { t } from "../../electron/language.js";
import { usePages } from "../stores/pages.js";

/** Where there is room for only one of the two panes: which. */
export function PaneSwitch() {
  const { side, show } = usePages();
  return (
    <div className="pane-switch only-narrow">
      <fieldset className="segmented" aria-label={t("documents.shownPane")}>
        <button type="button" aria-pressed={side === "document"} onClick={() => show("document")}>
          {t("documents.document")}
        </button>
        <button type="button" aria-pressed={side === "summary"} onClick={() => show("summary")}>
          {t("summary.title")}
        </button>
      </fieldset>
    </div>
  );
}
