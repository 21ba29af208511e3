import { t } from "../../electron/language.js";
import { shortcuts } from "../keys.js";
import { useApp } from "../stores/connect.js";
import { Sheet } from "./Sheet.js";

/** The keyboard sheet. */
export function Shortcuts() {
  const { shortcutsShown, showShortcuts } = useApp();
  const close = () => showShortcuts(false);
  return (
    <Sheet title={t("shortcuts.title")} shown={shortcutsShown} close={close}>
      <dl>
        {shortcuts().map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <button type="button" onClick={close}>
        {t("common.close")}
      </button>
    </Sheet>
  );
}
