import { useModel } from "../stores/model.js";
import { useViews } from "../stores/views.js";
import { formatBytes, formatCount } from "../view/format.js";

/** Which model reads, and how much of it fits. */
export function ModelLine() {
  const { state, model, fraction } = useModel();
  const show = useViews((store) => store.show);
  return (
    <button type="button" className="model-line" title="Models…" onClick={() => show("models")}>
      {state === "failed" ? (
        "No model is loaded: choose one…"
      ) : !model ? (
        `Loading the model, ${Math.floor(100 * fraction)} %`
      ) : (
        <>
          <strong>{model.id}</strong>
          {formatBytes(model.weightsBytes)} of weights
          <br />
          reads {formatCount(model.contextLength)} tokens in one go
        </>
      )}
    </button>
  );
}
