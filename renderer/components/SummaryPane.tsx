import { useEffect, useState } from "react";
import type { WireError } from "../../electron/contract.js";
import { t } from "../../electron/language.js";
import { closeDocument, startSelected } from "../actions.js";
import { precis } from "../precis.js";
import { type OpenDocument, useChosen, useDocuments } from "../stores/documents.js";
import { useMachine } from "../stores/forecast.js";
import { useModel } from "../stores/model.js";
import { useQueue } from "../stores/queue.js";
import { isBusy, type Run, useRuns } from "../stores/runs.js";
import { becomesOne, runOptions, useSettings } from "../stores/settings.js";
import { budgetFigures, lesserShare, reachOf } from "../view/budget.js";
import { formatCount, formatDuration, joinSentences } from "../view/format.js";
import { openingSteps, runSteps } from "../view/steps.js";
import { Caveats } from "./Caveats.js";
import { RunHistory } from "./Compare.js";
import { ErrorNote } from "./ErrorNote.js";
import { Opening, OpeningCancelled } from "./Opening.js";
import { Plan } from "./Plan.js";
import { Prose } from "./Prose.js";
import { Questions } from "./Questions.js";
import { ConfirmCancel, Reading } from "./Reading.js";
import { RunFacts } from "./RunFacts.js";
import { ChosenOptions } from "./RunOptions.js";
import { SummaryActions } from "./SummaryActions.js";

/** The summary, and what stands in its place before there is one. */
export function SummaryPane({ document }: { document: OpenDocument }) {
  const run = useRuns((store) => store.runs[document.id]);
  return (
    <main className="summary" aria-label={t("summary.title")}>
      <header className="pane-head">
        <h2>{t("summary.title")}</h2>
        <Tools document={document} run={run} />
      </header>
      <div key={document.id} className="page">
        {run && <ConfirmCancel run={run} />}
        <Body document={document} run={run} />
      </div>
    </main>
  );
}

/** What was chosen, during a run; what to do with the summary, after it. */
function Tools({ document, run }: { document: OpenDocument; run: Run | undefined }) {
  if (run?.phase === "done") return <SummaryActions />;
  if (document.state === "failed") return null;
  return isBusy(run) && run ? <ChosenOptions options={run.options} /> : null;
}

function Body({ document, run }: { document: OpenDocument; run: Run | undefined }) {
  const { reopen } = useDocuments();
  if (document.state === "failed" && document.error) {
    const steps = openingSteps(document.error, {
      retry: () => void reopen(document.id),
      close: () => closeDocument(document.id),
    });
    return (
      <>
        <ErrorNote title={t("summary.notOpened", { name: document.name })} error={document.error} steps={steps} />
        {/* The library's summary of it is as good as it was. */}
        {run?.phase === "done" && <Done document={document} run={run} />}
      </>
    );
  }
  switch (run?.phase) {
    case "waiting":
      return <p className="placeholder">{t("summary.waits", { key: t("keys.esc") })}</p>;
    case "reading":
      return <Reading document={document} run={run} />;
    case "writing":
      return <Prose text={run.text} writing />;
    case "done":
      return <Done document={document} run={run} />;
    case "held":
      return <Held run={run} />;
    case "cancelled":
      return <Cancelled document={document} run={run} />;
    case "failed":
      return run.error ? <Failed document={document} run={run} error={run.error} /> : null;
    default:
      return <Before document={document} />;
  }
}

function Failed({ document, run, error }: { document: OpenDocument; run: Run; error: WireError }) {
  const setShare = useSettings((store) => store.setShare);
  const model = useModel((store) => store.model);
  const free = useMachine()?.availableBytes;
  const share = Number.parseFloat(run.options.budget);
  const reach = model && document.summary && reachOf(model, document.summary, run.options, free);
  const steps = runSteps(error, { start: startSelected, setShare }, lesserShare(share, reach));
  return (
    <>
      <ErrorNote title={t("summary.notFinished")} error={error} steps={steps} />
      <EarlierSummary document={document} />
      {run.text !== "" && <Prose text={run.text} />}
    </>
  );
}

function Done({ document, run }: { document: OpenDocument; run: Run }) {
  const { text, result, startedAt, endedAt } = run;
  return (
    <>
      <Prose text={text} result={result} />
      {result && (
        <>
          <Caveats result={result} />
          {/* A summary of the library is there before its document is, or without it. */}
          {document.state === "ready" && <Questions documentId={document.id} result={result} />}
          <RunFacts result={result} startedAt={startedAt} endedAt={endedAt ?? startedAt} />
          <RunHistory path={document.path} runId={run.runId} />
        </>
      )}
    </>
  );
}

function Before({ document }: { document: OpenDocument }) {
  const model = useModel((store) => store.model);
  const chosen = useChosen();
  const settings = useSettings();
  const together = becomesOne(settings, chosen.length);
  if (document.state === "cancelled") return <OpeningCancelled document={document} />;
  if (document.state === "opening" || !document.summary || !model) return <Opening document={document} />;
  const { pages, unit, coverage } = document.summary;
  const { checked } = budgetFigures(model, document.summary, runOptions(settings));
  const read = coverage.text.length + coverage.ocr.length;
  const startOne = () =>
    read < pages
      ? t(`${unit}.startSome`, { count: read, all: formatCount(pages) })
      : t(`${unit}.startAll`, { count: pages });
  const start =
    chosen.length < 2
      ? startOne()
      : t(together ? "summary.startTogether" : "summary.startEach", { count: chosen.length });
  return (
    <div className="before">
      <p className="placeholder">{start}</p>
      <Plan summary={document.summary} model={model} />
      <p className="small">{t(checked ? "summary.budgetChecked" : "summary.budget")}</p>
    </div>
  );
}

function Held({ run }: { run: Run }) {
  const resume = useQueue((store) => store.resume);
  return (
    <div className="before">
      <p className="placeholder">{joinSentences(t("summary.held"), run.progress?.part ? t("summary.heldPart") : "")}</p>
      <div className="buttons">
        <button type="button" onClick={() => void resume(run.runId)}>
          {t("common.resume")}
        </button>
      </div>
    </div>
  );
}

/** The way back to the summary that the library has, behind a run that came to none. */
function EarlierSummary({ document: { id, path } }: { document: OpenDocument }) {
  const { clear, restore } = useRuns();
  const [there, setThere] = useState(false);
  useEffect(() => {
    void precis()
      .libraryRuns({ path })
      .then((outcome) => setThere(outcome.ok && outcome.value.length > 0));
  }, [path]);
  if (!there) return null;
  const show = () => {
    clear(id);
    void restore(id, path);
  };
  return (
    <div className="buttons">
      <button type="button" onClick={show}>
        {t("summary.showEarlier")}
      </button>
    </div>
  );
}

function Cancelled({ document, run }: { document: OpenDocument; run: Run }) {
  const after = run.endedAt === undefined ? 0 : run.endedAt - run.startedAt;
  return (
    <>
      <p className="placeholder">
        {joinSentences(
          t("summary.cancelled", { time: formatDuration(after) }),
          run.progress?.part ? t("summary.startGoesOn") : t("summary.startReadsAgain"),
        )}
      </p>
      <EarlierSummary document={document} />
      {run.text !== "" && (
        <>
          <p className="small">{t("summary.written")}</p>
          <Prose text={run.text} />
        </>
      )}
    </>
  );
}
