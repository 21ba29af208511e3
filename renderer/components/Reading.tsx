import type { OpenDocument } from "../stores/documents.js";
import { type Run, useRuns } from "../stores/runs.js";
import { formatDuration, formatRemaining, plural } from "../view/format.js";

/** More pages than this would be slivers: the ruler is then one bar. */
const mostSegments = 80;

/** The reading so far: a ruler with a segment for each page, the share done and the time left. */
export function Reading({ document, run }: { document: OpenDocument; run: Run }) {
  const keepGoing = useRuns((store) => store.keepGoing);
  const cancel = useRuns((store) => store.cancel);
  const { progress } = run;
  const fraction = progress?.stage === "reading" ? progress.fraction : 0;
  const pages = document.summary?.pages ?? 1;
  const part = progress?.part;
  return (
    <div className="reading">
      <p className="reading-figure">
        <strong>{Math.floor(100 * fraction)} %</strong>
        <span>{timeWords(run)}</span>
      </p>
      <Ruler label="Reading" pages={pages} fraction={fraction} />
      <p className="small">
        Reading {plural(pages, "page")} with {run.options.budget.replace("%", " %")} of the full cache. The summary
        begins when all of it is read.
      </p>
      {part && (
        <p className="small">
          Part {part.number} of {part.count}: read in parts because {part.why}.
        </p>
      )}
      {run.confirming && (
        <div className="confirm" role="alert">
          <p>
            {part
              ? "The part that is being read would be lost; finished parts are kept."
              : `${formatDuration(Date.now() - run.startedAt)} of reading would be lost.`}
          </p>
          <div className="buttons">
            <button type="button" onClick={() => cancel(document.id)}>
              Cancel the run <kbd>Esc</kbd>
            </button>
            <button type="button" onClick={() => keepGoing(document.id)}>
              Keep reading
            </button>
          </div>
        </div>
      )}
    </div>
  );
}

function timeWords({ progress, stopping }: Run): string {
  if (stopping) return "Cancelling…";
  if (progress?.stage !== "reading") return "Getting ready";
  return progress.remainingMs === undefined
    ? "Measuring the pace"
    : `About ${formatRemaining(progress.remainingMs)} left`;
}

/** A bar of segments, one for each page, that fills from the left. */
export function Ruler({ label, pages, fraction }: { label: string; pages: number; fraction: number }) {
  const segments = pages <= mostSegments ? pages : 1;
  return (
    <div
      className="ruler"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.floor(100 * fraction)}
    >
      {Array.from({ length: segments }, (_, page) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a segment is its place
        <span key={page}>
          <span style={{ inlineSize: `${100 * Math.min(1, Math.max(0, fraction * segments - page))}%` }} />
        </span>
      ))}
    </div>
  );
}
