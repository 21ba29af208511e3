import { type OpenDocument, useDocuments } from "../stores/documents.js";
import { formatRemaining } from "../view/format.js";
import { Ruler } from "./Reading.js";

/** A file being opened. Scanned pages take seconds each, so their recognition shows how far it is, and can be cancelled. */
export function Opening({ document }: { document: OpenDocument }) {
  const cancelOpening = useDocuments((store) => store.cancelOpening);
  const { scans, fraction = 0, remainingMs } = document.progress ?? {};
  if (!scans) return <p className="placeholder">Opening “{document.name}”…</p>;
  return (
    <div className="reading">
      <p className="reading-figure">
        <strong>{Math.floor(100 * fraction)} %</strong>
        <span>{remainingMs === undefined ? "Measuring the pace" : `About ${formatRemaining(remainingMs)} left`}</span>
      </p>
      <Ruler label="Recognising scanned pages" pages={scans.total} fraction={fraction} />
      <div className="reading-foot">
        <p className="small">
          Recognising page {Math.min(scans.done + 1, scans.total)} of {scans.total}. Pages with text of their own are
          read already.
        </p>
        <button type="button" onClick={() => cancelOpening(document.id)}>
          Cancel <kbd>Esc</kbd>
        </button>
      </div>
    </div>
  );
}

/** A file whose opening the user stopped. */
export function OpeningCancelled({ document }: { document: OpenDocument }) {
  const { reopen } = useDocuments();
  return (
    <div className="before">
      <p className="placeholder">Opening “{document.name}” was cancelled.</p>
      <div className="buttons">
        <button type="button" onClick={() => void reopen(document.id)}>
          Open it again
        </button>
      </div>
    </div>
  );
}
