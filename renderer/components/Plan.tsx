import type { DocumentSummary, ModelSummary } from "../../electron/contract.js";
import { t } from "../../electron/language.js";
import { translated } from "../../electron/translation.js";
import { useForecast, useForecastStale } from "../stores/forecast.js";
import { leastParts } from "../view/budget.js";
import { errorWords, formatCount, formatRemaining, joinSentences } from "../view/format.js";

/** How a document will be read, before it is: in how many parts, why, and how long that takes. */
export function Plan({ summary, model }: { summary: DocumentSummary; model: ModelSummary }) {
  const forecast = useForecast(summary.documentId);
  const stale = useForecastStale();
  if (!forecast) return <LeastParts summary={summary} model={model} />;
  const { parts, why, durationMs, refusal, warnings } = forecast;
  if (refusal) {
    return (
      <p className="plan-refusal" role="status">
        {errorWords(refusal)}
      </p>
    );
  }
  const time = durationMs === undefined ? "" : formatRemaining(durationMs);
  const how = parts > 1 ? t("plan.parts", { count: parts, why: translated(why ?? "") }) : t("plan.whole");
  return (
    <>
      <p className="small plan" role="status" data-stale={stale}>
        {joinSentences(how, time && t(parts > 1 ? "plan.timeOfParts" : "plan.time", { time }))}
      </p>
      {warnings.map((warning) => (
        <p key={warning} className="small">
          {translated(warning)}
        </p>
      ))}
    </>
  );
}

/** What is known before the plan is. */
function LeastParts({ summary, model }: { summary: DocumentSummary; model: ModelSummary }) {
  const parts = leastParts(model, summary);
  if (parts === 1) return null;
  return (
    <p className="small">
      {t("plan.leastParts", {
        tokens: formatCount(summary.tokens),
        context: formatCount(model.contextLength),
        count: parts,
      })}
    </p>
  );
}
