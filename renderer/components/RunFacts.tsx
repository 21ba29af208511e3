import type { ReactNode } from "react";
import type { SummaryResult } from "../../electron/contract.js";
import { fileName, formatBytes, formatCount, formatDuration } from "../view/format.js";
import { Coverage } from "./Coverage.js";
import { RetentionChart } from "./RetentionChart.js";
import { policyLabel } from "./RunOptions.js";

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
  const warnings = [...new Set([...documents.flatMap((each) => each.warnings), ...result.warnings])];
  const rate = timings.decodeMs > 0 ? (1000 * timings.decodeTokens) / timings.decodeMs : 0;
  return (
    <footer className="run-facts">
      {warnings.length > 0 && (
        <ul className="warnings" aria-label="Warnings about this run">
          {warnings.map((warning) => (
            <li key={warning}>{warning}</li>
          ))}
        </ul>
      )}
      {documents.map((each) => (
        <div key={each.path}>
          {documents.length > 1 && <p className="small">{fileName(each.path)}</p>}
          <Coverage coverage={each.coverage} />
        </div>
      ))}
      <dl className="facts wide">
        <Fact name="Kept after reading" value={formatBytes(kv.retainedBytes)}>
          of {formatBytes(kv.fullBytes)} in the full cache
        </Fact>
        <Fact name="Most held while reading" value={formatBytes(kv.peakBytes)}>
          whole process: {formatBytes(memory.peakRssBytes)}
        </Fact>
        <Fact name="Reading" value={formatDuration(timings.prefillMs)}>
          {formatCount(documents.reduce((sum, { tokens }) => sum + tokens, 0))} tokens
        </Fact>
        {parts.length > 1 && (
          <Fact name="Read in" value={`${parts.length} parts`}>
            of at most {formatCount(Math.max(...parts.map(({ tokens }) => tokens)))} tokens
          </Fact>
        )}
        <Fact name="Writing" value={formatDuration(timings.decodeMs)}>
          {formatCount(timings.decodeTokens)} tokens, {rate.toFixed(1)} a second
        </Fact>
        {citations.length > 0 && (
          <Fact name={`Sentences with a ${coverage.unit}`} value={`${supported} of ${citations.length}`}>
            {supported < citations.length && "the others are marked"}
          </Fact>
        )}
        <Fact name="In all" value={formatDuration(endedAt - startedAt)}>
          {policyLabel(result.policy)} with {fileName(result.model.id)}
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
