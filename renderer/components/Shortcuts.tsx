import { useEffect, useRef } from "react";
import { shortcuts } from "../keys.js";
import { useApp } from "../stores/connect.js";

/** The keyboard sheet. */
export function Shortcuts() {
  const { shortcutsShown, showShortcuts } = useApp();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (shortcutsShown) dialog.current?.showModal();
    else dialog.current?.close();
  }, [shortcutsShown]);
  return (
    <dialog
      ref={dialog}
      className="sheet-dialog"
      aria-labelledby="shortcuts-title"
      onClose={() => showShortcuts(false)}
    >
      <h2 id="shortcuts-title">Keyboard</h2>
      <dl>
        {shortcuts.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <button type="button" onClick={() => showShortcuts(false)}>
        Close
      </button>
    </dialog>
  );
}
