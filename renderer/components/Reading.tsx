import { t } from "../../electron/language.js";
import { translated } from "../../electron/translation.js";
import type { OpenDocument } from "../stores/documents.js";
import { type Run, useRuns } from "../stores/runs.js";
import { formatDuration, formatFraction, formatPercent, formatRemaining } from "../view/format.js";

/** More pages than this would be slivers: the ruler is then one bar. */
const mostSegments = 80;

/** The reading so far: a ruler with a segment for each page, the share done and the time left. */
export function Reading({ document, run }: { document: OpenDocument; run: Run }) {
  const { progress } = run;
  const fraction = progress?.stage === "reading" ? progress.fraction : 0;
  const pages = document.summary?.pages ?? 1;
  const part = progress?.part;
  return (
    <div className="reading">
      <p className="reading-figure">
        <strong>{formatFraction(fraction)}</strong>
        <span>{timeWords(run)}</span>
      </p>
      <Ruler label={t("reading.title")} pages={pages} fraction={fraction} />
      <p className="small">
        {t("reading.about", { count: pages, share: formatPercent(Number.parseFloat(run.options.budget)) })}
      </p>
      {part && (
        <p className="small">
          {t("reading.part", { number: part.number, count: part.count, why: translated(part.why) })}
        </p>
      )}
    </div>
  );
}

/** Whether a run is to be cancelled of which more than a minute would be lost; nothing while that is not asked. */
export function ConfirmCancel({ run }: { run: Run }) {
  const { keepGoing, cancel } = useRuns();
  if (!run.confirming) return null;
  const time = formatDuration(Date.now() - run.startedAt);
  return (
    <div className="confirm" role="alert">
      <p>{run.progress?.part ? t("reading.partLost") : t("reading.lost", { time })}</p>
      <div className="buttons">
        <button type="button" onClick={() => cancel(run.documentId)}>
          {t("reading.cancel")} <kbd>{t("keys.esc")}</kbd>
        </button>
        <button type="button" onClick={() => keepGoing(run.documentId)}>
          {t("reading.keep")}
        </button>
      </div>
    </div>
  );
}

function timeWords({ progress, stopping }: Run): string {
  if (stopping) return t("state.cancelling");
  if (progress?.stage !== "reading") return t("state.gettingReady");
  return progress.remainingMs === undefined
    ? t("state.measuring")
    : t("state.left", { time: formatRemaining(progress.remainingMs) });
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
