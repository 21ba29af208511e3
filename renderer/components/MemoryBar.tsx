import { startSelected } from "../actions.js";
import type { OpenDocument } from "../stores/documents.js";
import { useModel } from "../stores/model.js";
import { isBusy, useRuns } from "../stores/runs.js";
import { useSettings } from "../stores/settings.js";
import { budgetFigures, type Figures, smallestUsefulShare, wordsAt } from "../view/budget.js";
import { formatBytes, formatCount, formatPercent } from "../view/format.js";
import { BudgetSlider } from "./BudgetSlider.js";

/** The bar at the bottom: how much memory reading may keep, exactly, and the way to start. */
export function MemoryBar({ document }: { document: OpenDocument }) {
  const model = useModel((store) => store.model);
  const settings = useSettings();
  const run = useRuns((store) => store.runs[document.id]);
  const cancel = useRuns((store) => store.cancel);
  const { summary } = document;
  const busy = isBusy(run);
  // A run keeps the memory that it was started with, whatever is set for other documents meanwhile.
  const policy = busy && run ? run.options.policy : settings.policy;
  const share = policy === "full" ? 100 : busy && run ? Number.parseFloat(run.options.budget) : settings.share;
  const figures = model && summary ? budgetFigures(model, summary, share, policy) : undefined;
  return (
    <section className="memory" aria-label="Memory for reading">
      <div className="memory-figure">
        <h2>Memory for reading</h2>
        <p className="memory-bytes">
          <output>{figures ? formatBytes(figures.bytes) : "–"}</output>
          {figures && <span> of {formatBytes(figures.fullBytes)}</span>}
        </p>
      </div>
      <div className="memory-slider">
        <BudgetSlider
          share={share}
          disabled={policy === "full" || busy || !figures}
          smallest={model && summary ? smallestUsefulShare(model, summary) : undefined}
          valueText={
            figures ? `${formatBytes(figures.bytes)}, ${formatPercent(share)} of the full cache` : formatPercent(share)
          }
          onChange={settings.setShare}
        />
        <p className="memory-words">
          {figures
            ? words(figures, share, policy === "full")
            : document.state === "failed"
              ? "There is nothing to read."
              : "Figures follow once the document is open."}
        </p>
      </div>
      {busy ? (
        <button type="button" className="start" disabled={run?.stopping} onClick={() => cancel(document.id)}>
          {run?.stopping ? "Cancelling…" : "Cancel"} <kbd>Esc</kbd>
        </button>
      ) : (
        <button
          type="button"
          className="start primary"
          disabled={document.state !== "ready" || !model || !summary}
          onClick={startSelected}
        >
          {run?.phase === "done" ? "Start again" : "Start"} <kbd>Enter</kbd>
        </button>
      )}
    </section>
  );
}

function words(figures: Figures, share: number, full: boolean): string {
  const each = figures.parts > 1 ? [`for each of at least ${figures.parts} parts`] : [];
  if (full) {
    const kept = `The full cache: nothing is left out. ${formatCount(figures.tokensPerLayer)} tokens in each layer`;
    return [kept, ...each].join(" · ");
  }
  const name = wordsAt(share);
  return [
    `${formatPercent(share)} of the full cache${name ? ` (${name})` : ""}`,
    `${formatCount(figures.tokensPerLayer)} of ${formatCount(figures.promptTokens)} tokens in each layer on average`,
    `about ${formatBytes(figures.peakBytes)} at the peak of reading`,
    ...each,
  ].join(" · ");
}
