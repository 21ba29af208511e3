import { useModel } from "../stores/model.js";
import { formatBytes, formatCount } from "../view/format.js";

/** Which model reads, and how much of it fits. */
export function ModelLine() {
  const { state, model, fraction } = useModel();
  if (state === "failed") return <p className="model-line">No model is loaded.</p>;
  if (!model) return <p className="model-line">Loading the model, {Math.floor(100 * fraction)} %</p>;
  return (
    <p className="model-line">
      <strong>{model.id}</strong>
      {formatBytes(model.weightsBytes)} of weights
      <br />
      reads {formatCount(model.contextLength)} tokens in one go
    </p>
  );
}
