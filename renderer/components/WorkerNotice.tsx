import { t } from "../../electron/language.js";
import { translated } from "../../electron/translation.js";
import { useApp } from "../stores/connect.js";
import { useModel } from "../stores/model.js";
import { joinSentences } from "../view/format.js";

/** Said once at the top when the worker had to be replaced: whatever ran was lost, the documents are opened again. */
export function WorkerNotice() {
  const { workerError, workerRestarted, dismissWorkerError } = useApp();
  const modelState = useModel((store) => store.state);
  if (!workerError) return null;
  const after = !workerRestarted
    ? t("worker.gaveUp")
    : modelState === "ready"
      ? t("worker.restarted")
      : t("worker.restarting");
  return (
    <div className="worker-notice" role="status">
      <p title={translated(workerError.message)}>{joinSentences(t("worker.died"), after)}</p>
      <button type="button" className="quiet" onClick={dismissWorkerError}>
        {t("common.dismiss")}
      </button>
    </div>
  );
}
