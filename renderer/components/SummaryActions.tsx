import { t } from "../../electron/language.js";
import { useNotice } from "../stores/notice.js";
import { ExportMenu } from "./ExportMenu.js";

/** What can be done with a finished summary. */
export function SummaryActions() {
  const { notice, perform } = useNotice();
  return (
    <div className="actions">
      <p className="notice" role="status" data-ok={notice?.ok} title={notice?.sentence}>
        {notice?.sentence}
      </p>
      <button type="button" onClick={() => void perform("copy")}>
        {t("summary.copy")}
      </button>
      <ExportMenu />
    </div>
  );
}
