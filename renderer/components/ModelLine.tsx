import { modelName } from "../../electron/core.js";
import { t } from "../../electron/language.js";
import { useModel } from "../stores/model.js";
import { useViews } from "../stores/views.js";
import { formatBytes, formatCount, formatFraction } from "../view/format.js";

/** Which model reads, and how much of it fits. */
export function ModelLine() {
  const { state, model, fraction } = useModel();
  const show = useViews((store) => store.show);
  return (
    <button type="button" className="model-line" title={t("common.models")} onClick={() => show("models")}>
      {state === "failed" ? (
        t("models.noneLoaded")
      ) : !model ? (
        t("models.loading", { share: formatFraction(fraction) })
      ) : (
        <>
          <strong>{modelName(model.id)}</strong>
          <span className="model-more">
            {formatBytes(model.weightsBytes)}
            <br />
            {t("models.readsTokens", { tokens: formatCount(model.contextLength) })}
          </span>
        </>
      )}
    </button>
  );
}
