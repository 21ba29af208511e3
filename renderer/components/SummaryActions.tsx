import { useNotice } from "../stores/notice.js";
import { useRuns } from "../stores/runs.js";
import { ExportMenu } from "./ExportMenu.js";

/** What can be done with a finished summary. */
export function SummaryActions({ documentId }: { documentId: string }) {
  const { notice, perform } = useNotice();
  const clear = useRuns((store) => store.clear);
  return (
    <div className="actions">
      <p className="notice" role="status" data-ok={notice?.ok} title={notice?.sentence}>
        {notice?.sentence}
      </p>
      <button type="button" className="quiet" onClick={() => clear(documentId)}>
        New choices
      </button>
      <button type="button" onClick={() => void perform("copy")}>
        Copy
      </button>
      <ExportMenu />
    </div>
  );
}
