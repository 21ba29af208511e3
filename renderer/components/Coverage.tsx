import { coverageStretches, type Coverage as Pages } from "../../electron/contract.js";
import { coverageLines } from "../view/coverage.js";
import { plural } from "../view/format.js";

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
    <section className="coverage" aria-label="What was read">
      <h2>
        {read === all ? `All ${plural(read, unit)}` : `${read} of ${plural(all, unit)}`} {before ? "readable" : "read"}
      </h2>
      <div className="coverage-strip" aria-hidden="true">
        {coverageStretches(coverage).map(({ how, words, from, to }) => (
          <span
            key={from}
            data-how={how}
            style={{ flexGrow: to - from + 1 }}
            title={`${unit} ${range(from, to)}: ${words}`}
          />
        ))}
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
        <summary>Each {coverage.unit}</summary>
        <table>
          <tbody>
            {coverageStretches(coverage).map(({ from, to, words }) => (
              <tr key={from}>
                <th scope="row">{range(from, to)}</th>
                <td>{words}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </>
  );
}
