import type { ReactNode } from "react";
import type { SummaryResult } from "../../electron/contract.js";
import { modelName } from "../../electron/core.js";
import { t } from "../../electron/language.js";
import { policyLabel } from "../view/choices.js";
import { fileName, formatBytes, formatDecimal, formatDuration } from "../view/format.js";
import { Coverage } from "./Coverage.js";
import { RetentionChart } from "./RetentionChart.js";

interface Props {
  readonly result: SummaryResult;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** What the run read, held and took, as it was counted. */
export function RunFacts({ result, startedAt, endedAt }: Props) {
  const { citations, document, furtherDocuments, kv, parts, timings, memory } = result;
  const documents = [document, ...furtherDocuments];
  const supported = citations.filter(({ pages }) => pages.length > 0).length;
  const { coverage } = document;
  const rate = timings.decodeMs > 0 ? (1000 * timings.decodeTokens) / timings.decodeMs : 0;
  return (
    <footer className="run-facts">
      {documents.map((each) => (
        <div key={each.path}>
          {documents.length > 1 && <p className="small">{fileName(each.path)}</p>}
          <Coverage coverage={each.coverage} />
        </div>
      ))}
      <dl className="facts">
        <Fact name={t("facts.kept")} value={formatBytes(kv.retainedBytes)}>
          {t("facts.ofFull", { bytes: formatBytes(kv.fullBytes) })}
        </Fact>
        <Fact name={t("facts.peak")} value={formatBytes(kv.peakBytes)}>
          {t("facts.process", { bytes: formatBytes(memory.peakRssBytes) })}
        </Fact>
        <Fact name={t("facts.reading")} value={formatDuration(timings.prefillMs)}>
          {t("documents.tokens", { count: documents.reduce((sum, { tokens }) => sum + tokens, 0) })}
        </Fact>
        {parts.length > 1 && (
          <Fact name={t("facts.readIn")} value={t("facts.parts", { count: parts.length })}>
            {t("facts.partTokens", { count: Math.max(...parts.map(({ tokens }) => tokens)) })}
          </Fact>
        )}
        <Fact name={t("facts.writing")} value={formatDuration(timings.decodeMs)}>
          {t("facts.rate", { count: timings.decodeTokens, rate: formatDecimal(rate) })}
        </Fact>
        {citations.length > 0 && (
          <Fact
            name={t(`${coverage.unit}.sentencesWith`)}
            value={t("facts.supported", { supported, count: citations.length })}
          >
            {supported < citations.length && t("facts.marked")}
          </Fact>
        )}
        <Fact name={t("facts.inAll")} value={formatDuration(endedAt - startedAt)}>
          {t(result.reading === "fast" ? "facts.policyFast" : "facts.policy", {
            policy: result.kvType ? `${policyLabel(result.policy)}, ${result.kvType}` : policyLabel(result.policy),
            model: modelName(result.model.id),
          })}
        </Fact>
      </dl>
      <RetentionChart result={result} />
    </footer>
  );
}

function Fact({ name, value, children }: { name: string; value: string; children?: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value}
        {children && <small>{children}</small>}
      </dd>
    </div>
  );
}
