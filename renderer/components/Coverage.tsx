import type { Coverage as Pages } from "../../electron/contract.js";
import { coverageLines, pageRows, stretches } from "../view/coverage.js";
import { plural } from "../view/format.js";

/** What was read of a document, page by page: a strip first, then in words, and each page in a table on demand. */
export function Coverage({ coverage }: { coverage: Pages }) {
  const rows = pageRows(coverage);
  const read = coverage.text.length + coverage.ocr.length;
  const { unit } = coverage;
  return (
    <section className="coverage" aria-label="What was read">
      <h2>
        {read === rows.length ? `All ${plural(read, unit)} read` : `${read} of ${plural(rows.length, unit)} read`}
      </h2>
      <div className="coverage-strip" aria-hidden="true">
        {stretches(rows).map(({ how, from, to }) => (
          <span
            key={from}
            data-how={how}
            style={{ flexGrow: to - from + 1 }}
            title={from === to ? `${unit} ${from}` : `${unit}s ${from} to ${to}`}
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
      {rows.length > 1 && (
        <details>
          <summary>Each {unit}</summary>
          <table>
            <tbody>
              {rows.map(({ page, words }) => (
                <tr key={page}>
                  <th scope="row">{page}</th>
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
