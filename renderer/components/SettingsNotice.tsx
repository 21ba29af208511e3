import { t } from "../../electron/language.js";
import { useApp } from "../stores/connect.js";

/** Said once at the top when settings could not be read or written. */
export function SettingsNotice() {
  const { settingsNotice, dismissSettingsNotice } = useApp();
  if (settingsNotice === undefined) return null;
  return (
    <div className="worker-notice" role="status">
      <p>{settingsNotice}</p>
      <button type="button" className="quiet" onClick={dismissSettingsNotice}>
        {t("common.dismiss")}
      </button>
    </div>
  );
}
