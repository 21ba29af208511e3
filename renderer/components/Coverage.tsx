import { coverageStretches, type Coverage as Pages } from "../../electron/contract.js";
import { coverageLines } from "../view/coverage.js";
import { plural } from "../view/format.js";

/** What was read of a document, page by page: a strip first, then in words, and each page in a table on demand. */
export function Coverage({ coverage }: { coverage: Pages }) {
  const { unit, text, ocr, empty, failed } = coverage;
  const read = text.length + ocr.length;
  const all = read + empty.length + failed.length;
  const pages = (from: number, to: number) => (from === to ? `${from}` : `${from}–${to}`);
  const stretches = coverageStretches(coverage);
  return (
    <section className="coverage" aria-label="What was read">
      <h2>{read === all ? `All ${plural(read, unit)} read` : `${read} of ${plural(all, unit)} read`}</h2>
      <div className="coverage-strip" aria-hidden="true">
        {stretches.map(({ how, words, from, to }) => (
          <span
            key={from}
            data-how={how}
            style={{ flexGrow: to - from + 1 }}
            title={`${unit} ${pages(from, to)}: ${words}`}
          />
        ))}
      </div>
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
      {all > 1 && (
        <details>
          <summary>Each {unit}</summary>
          <table>
            <tbody>
              {stretches.map(({ from, to, words }) => (
                <tr key={from}>
                  <th scope="row">{pages(from, to)}</th>
                  <td>{words}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}
    </section>
  );
}
