import { usePages } from "../stores/pages.js";

/** Where there is room for only one of the two panes: which. */
export function PaneSwitch() {
  const { side, show } = usePages();
  return (
    <div className="pane-switch only-narrow">
      <fieldset className="segmented" aria-label="Shown pane">
        <button type="button" aria-pressed={side === "document"} onClick={() => show("document")}>
          Document
        </button>
        <button type="button" aria-pressed={side === "summary"} onClick={() => show("summary")}>
          Summary
        </button>
      </fieldset>
    </div>
  );
}
