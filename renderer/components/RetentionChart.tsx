import type { SummaryResult } from "../../electron/contract.js";
import { formatBytes, formatCount } from "../view/format.js";

/** How many tokens each layer kept: a picture first, a table for those who want it. */
export function RetentionChart({ result }: { result: SummaryResult }) {
  const { layers } = result.kv;
  const most = Math.max(1, ...layers.map((layer) => layer.tokens));
  const least = Math.min(...layers.map((layer) => layer.tokens));
  if (layers.length === 0) return null;
  return (
    <section className="retention">
      <h2>Kept in each layer</h2>
      <div
        className="bars"
        role="img"
        aria-label={`Tokens kept in ${layers.length} layers, between ${formatCount(least)} and ${formatCount(most)}`}
      >
        {layers.map((layer) => (
          <span
            key={layer.layer}
            title={`Layer ${layer.layer + 1}: ${formatCount(layer.tokens)} tokens`}
            style={{ blockSize: `${Math.max(2, (100 * layer.tokens) / most)}%` }}
          />
        ))}
      </div>
      <p className="bars-scale">
        <span>layer 1</span>
        <span>most: {formatCount(most)} tokens</span>
        <span>{layers.length}</span>
      </p>
      <details>
        <summary>As a table</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">Layer</th>
              <th scope="col">Tokens</th>
              <th scope="col">Memory</th>
            </tr>
          </thead>
          <tbody>
            {layers.map((layer) => (
              <tr key={layer.layer}>
                <td>{layer.layer + 1}</td>
                <td>{formatCount(layer.tokens)}</td>
                <td>{formatBytes(layer.bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </section>
  );
}
