import type { Coverage as Pages } from "../../electron/contract.js";
import { coverageStretches } from "../../electron/core.js";
import { t } from "../../electron/language.js";
import { coverageLines, stretchWords } from "../view/coverage.js";

const range = (from: number, to: number) => (from === to ? `${from}` : `${from}–${to}`);

/**
 * What was read of a document, page by page: a strip first, then in words, and each page in a table on demand.
 * Before a run it says what there is to read.
 */
export function Coverage({ coverage, before = false }: { coverage: Pages; before?: boolean }) {
  const { unit, text, ocr, empty, failed } = coverage;
  const read = text.length + ocr.length;
  const all = read + empty.length + failed.length;
  return (
    <section className="coverage" aria-label={t("coverage.title")}>
      <h2>
        {read === all
          ? t(before ? `${unit}.allReadable` : `${unit}.allRead`, { count: all })
          : t(before ? `${unit}.someReadable` : `${unit}.someRead`, { read, count: all })}
      </h2>
      <div className="coverage-strip" aria-hidden="true">
        {coverageStretches(coverage).map((stretch) => {
          const { how, from, to } = stretch;
          const values = { range: range(from, to), words: stretchWords(stretch, coverage) };
          return (
            <span key={from} data-how={how} style={{ flexGrow: to - from + 1 }} title={t(`${unit}.stretch`, values)} />
          );
        })}
      </div>
      {/* When every page had text of its own, the heading has said it all. */}
      {text.length < all && <CoverageDetails coverage={coverage} />}
    </section>
  );
}

function CoverageDetails({ coverage }: { coverage: Pages }) {
  return (
    <>
      <dl className="coverage-lines">
        {coverageLines(coverage).map(({ how, name, words }) => (
          <div key={name + words}>
            <dt>
              <span className="coverage-key" data-how={how} aria-hidden="true" />
              {name}
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
      <details>
        <summary>{t(`${coverage.unit}.each`)}</summary>
        <table>
          <tbody>
            {coverageStretches(coverage).map((stretch) => (
              <tr key={stretch.from}>
                <th scope="row">{range(stretch.from, stretch.to)}</th>
                <td>{stretchWords(stretch, coverage)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </>
  );
}
