import { useApp } from "../stores/connect.js";
import { useModel } from "../stores/model.js";

/** Said once at the top when the worker had to be replaced: whatever ran was lost, the documents are opened again. */
export function WorkerNotice() {
  const { workerError, workerRestarted, dismissWorkerError } = useApp();
  const modelState = useModel((store) => store.state);
  if (!workerError) return null;
  const after = !workerRestarted
    ? "It stopped several times within a minute and was not started again: restart Precis."
    : modelState === "ready"
      ? "It was started again; your documents are open."
      : "It is being started again.";
  return (
    <div className="worker-notice" role="status">
      <p>
        {workerError.message} {after}
      </p>
      <button type="button" className="quiet" onClick={dismissWorkerError}>
        Dismiss
      </button>
    </div>
  );
}
