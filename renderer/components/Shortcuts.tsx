import { t } from "../../electron/language.js";
import { shortcuts } from "../keys.js";
import { useApp } from "../stores/connect.js";
import { Sheet } from "./Sheet.js";

/** The keyboard sheet. */
export function Shortcuts() {
  const { shortcutsShown, showShortcuts } = useApp();
  const close = () => showShortcuts(false);
  return (
    <Sheet title={t("shortcuts.title")} shown={shortcutsShown} close={close} kind="wide">
      <dl className="shortcuts">
        {shortcuts().map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <div className="buttons end">
        <button type="button" onClick={close}>
          {t("common.close")}
        </button>
      </div>
    </Sheet>
  );
}
