import { Fragment, useMemo, useState } from "react";
import type { Forecast, Machine, RunOptions as Options } from "../../electron/contract.js";
import { t } from "../../electron/language.js";
import { canStart, startSelected } from "../actions.js";
import { type OpenDocument, useChosen, useDocuments } from "../stores/documents.js";
import { useAskForecast, useForecast, useMachine } from "../stores/forecast.js";
import { useModel } from "../stores/model.js";
import { isBusy, useRuns } from "../stores/runs.js";
import { becomesOne, runOptions, useSettings } from "../stores/settings.js";
import {
  budgetFigures,
  type Figures,
  memoryStretches,
  nearestWithin,
  qualityOf,
  type Reach,
  reachOf,
} from "../view/budget.js";
import { formatBytes, formatCount, formatPercent, formatRemaining, joinSentences } from "../view/format.js";
import { AdvancedOptions } from "./AdvancedOptions.js";
import { BudgetSlider } from "./BudgetSlider.js";
import { RunOptions } from "./RunOptions.js";

/** The bar at the bottom: what the next summary is to be, how much memory its reading may keep, and the way to start. */
export function MemoryBar({ document }: { document: OpenDocument }) {
  const model = useModel((store) => store.model);
  const settings = useSettings();
  const run = useRuns((store) => store.runs[document.id]);
  const { summary } = document;
  const busy = isBusy(run);
  const forecast = useForecast(document.id);
  useAskForecast(document);
  const [open, setOpen] = useState(false);
  // A run keeps the choices that it was started with, whatever is set for other documents meanwhile.
  const options = busy && run ? run.options : runOptions(settings);
  const share = Number.parseFloat(options.budget);
  const machine = useMachine();
  const ready = model && summary;
  const figures = ready ? budgetFigures(model, summary, options) : undefined;
  const { policy, kvType, groupLayers, reading, reaim } = options;
  const free = machine?.availableBytes;
  // the same for every place of the slider: tried at a dozen of them
  const reach = useMemo(() => {
    const choices = { budget: "100%", policy, kvType, groupLayers, reading, reaim };
    return model && summary && reachOf(model, summary, choices, free);
  }, [model, summary, policy, kvType, groupLayers, reading, reaim, free]);
  const refusal = (place: number) =>
    ready && reach
      ? unfitWords(place, reach, machine, (at) => budgetFigures(model, summary, { ...options, budget: `${at}%` }))
      : undefined;
  return (
    <section className="memory" aria-label={t("memory.title")} data-open={open}>
      {!busy && (
        <div className="memory-choices">
          <RunOptions />
          <button type="button" className="quiet more" aria-expanded={open} onClick={() => setOpen(!open)}>
            {t("memory.more")}
          </button>
          {open && <AdvancedOptions />}
        </div>
      )}
      <div className="memory-figure">
        <h2>{t("memory.title")}</h2>
        <p className="memory-bytes">
          <output>{figures ? formatBytes(figures.bytes) : "–"}</output>
          {figures && <span> {t("memory.ofFull", { bytes: formatBytes(figures.fullBytes) })}</span>}
        </p>
      </div>
      <div className="memory-slider">
        {figures && machine ? <MemoryStretches figures={figures} machine={machine} /> : <NoStretches />}
        <BudgetSlider
          share={share}
          disabled={options.policy === "full" || busy || !figures}
          reach={reach}
          refusal={refusal}
          recommends={figures !== undefined && !figures.checked}
          valueText={
            figures
              ? t("memory.value", {
                  bytes: formatBytes(figures.bytes),
                  share: formatPercent(share),
                  quality: qualityOf(share, options, figures?.checked).words,
                })
              : formatPercent(share)
          }
          quality={(place) => qualityOf(place, options, figures?.checked)}
          onChange={settings.setShare}
        />
        <p className="memory-words" title={figures && details(figures, share, options)}>
          {figures
            ? words(figures, share, options, forecast).map((piece, at) => (
                <Fragment key={piece}>
                  {at > 0 && " · "}
                  <span>{piece}</span>
                </Fragment>
              ))
            : document.state === "failed"
              ? t("memory.nothing")
              : t("memory.later")}
        </p>
      </div>
      <StartButton document={document} />
    </section>
  );
}

function StartButton({ document }: { document: OpenDocument }) {
  const run = useRuns((store) => store.runs[document.id]);
  const cancel = useRuns((store) => store.cancel);
  const ready = useModel((store) => store.model !== undefined) && document.state === "ready";
  const chosen = useChosen();
  const together = useSettings((store) => becomesOne(store, chosen.length));
  const cancelOpening = useDocuments((store) => store.cancelOpening);
  if (document.state === "opening" && document.progress?.scans) {
    return (
      <button type="button" className="start" onClick={() => cancelOpening(document.id)}>
        {t("common.cancel")} <kbd>{t("keys.esc")}</kbd>
      </button>
    );
  }
  if (isBusy(run)) {
    return (
      <button type="button" className="start" disabled={run?.stopping} onClick={() => cancel(document.id)}>
        {run?.stopping ? t("state.cancelling") : t("common.cancel")} <kbd>{t("keys.esc")}</kbd>
      </button>
    );
  }
  const again = chosen.length === 1 && run?.phase === "done";
  const label =
    chosen.length > 1
      ? together
        ? t("memory.startAsOne", { number: chosen.length })
        : t("memory.startSeveral", { number: chosen.length })
      : again
        ? t("memory.startAgain")
        : t("memory.start");
  return (
    <button type="button" className="start primary" disabled={!ready || !canStart()} onClick={startSelected}>
      {label} {!again && <kbd>{t("keys.enter")}</kbd>}
    </button>
  );
}

/** Their room while nothing is known of them: the slider must not move from under the pointer. */
function NoStretches() {
  return (
    <div className="stretches" aria-hidden="true">
      <div className="stretches-bar" />
      <p className="stretches-words">{"\u00a0"}</p>
    </div>
  );
}

/** The computer's memory at the run's worst moment: what takes it, and what is left or missing. */
function MemoryStretches({ figures, machine }: { figures: Figures; machine: Machine }) {
  const stretches = memoryStretches(figures.memory, machine);
  const total = formatBytes(figures.memory.total);
  // What is missing takes the room of what is free: the line must not grow by another, which would move all above.
  const peak = stretches.some(({ kind }) => kind === "over")
    ? t("memory.peakOver", { total })
    : t("memory.peak", { total, free: formatBytes(machine.availableBytes) });
  return (
    <div className="stretches">
      <div className="stretches-bar" aria-hidden="true">
        {stretches.map(({ kind, bytes, drawn }) => (
          <span
            key={kind}
            className="stretch"
            data-kind={kind}
            title={t("memory.stretch", { name: t(`stretches.${kind}`), bytes: formatBytes(bytes) })}
            style={{ flexGrow: drawn / machine.totalBytes }}
          />
        ))}
      </div>
      <p className="stretches-words">
        <strong>{peak}</strong>
        {stretches
          .filter(({ kind }) => kind !== "free")
          .map(({ kind, bytes }) => (
            <span key={kind} data-kind={kind}>
              {t(`stretches.${kind}`)} {formatBytes(bytes)}
            </span>
          ))}
        {figures.gpuBytes > 0 && <span>{t("memory.gpu", { bytes: formatBytes(figures.gpuBytes) })}</span>}
      </p>
    </div>
  );
}

/** Why a share does not fit, and the nearest that does. */
function unfitWords(
  share: number,
  reach: Reach,
  machine: Machine | undefined,
  figuresAt: (share: number) => Figures,
): string | undefined {
  const nearest = nearestWithin(share, reach);
  if (share === nearest) return undefined;
  const instead =
    nearest === undefined ? t("memory.noneFits") : t("memory.nearestFits", { share: formatPercent(nearest) });
  if (share < reach.least) return t("memory.tooLittle", { share: formatPercent(reach.least), instead });
  const total = formatBytes(figuresAt(share).memory.total);
  return machine
    ? t("memory.tooMuch", { total, free: formatBytes(machine.availableBytes), instead })
    : t("memory.tooMuchUnknown", { total, instead });
}

/** What the words below the slider stand on. */
function details(figures: Figures, share: number, options: Options): string {
  const { tokensPerLayer, promptTokens, checked } = figures;
  const kept = t("memory.tokensPerLayer", { kept: formatCount(tokensPerLayer), all: formatCount(promptTokens) });
  return joinSentences(qualityOf(share, options, checked).figures ?? "", kept);
}

function words(figures: Figures, share: number, options: Options, forecast: Forecast | undefined): string[] {
  const { durationMs } = forecast ?? {};
  // the figures are of one part, and the time is of all of them
  const inParts = Math.max(figures.parts, forecast?.parts ?? 1) > 1;
  const name = qualityOf(share, options, figures.checked).words;
  return [
    // first, as a low window cuts the line short
    ...(durationMs === undefined
      ? []
      : [t(inParts ? "memory.aboutAll" : "memory.about", { time: formatRemaining(durationMs) })]),
    ...(options.policy === "full"
      ? [t("memory.full")]
      : [t(inParts ? "memory.shareNamedParts" : "memory.shareNamed", { share: formatPercent(share), name })]),
    ...(figures.diskBytes > 0 ? [t("memory.onDisk", { bytes: formatBytes(figures.diskBytes) })] : []),
  ];
}
