import { useEffect, useRef } from "react";
import type { LibraryEntry } from "../../electron/contract.js";
import { deleteStored } from "../actions.js";

/** Asked before a document leaves the library, because nothing brings it back. */
export function DeleteDialog({ entry, close }: { entry: LibraryEntry; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className="sheet-dialog" aria-labelledby="delete-title" onClose={close}>
      <h2 id="delete-title">Delete “{entry.title}”?</h2>
      <p>
        Its text{entry.summarised ? " and its summaries are" : " is"} deleted from the library for good, and with
        {entry.summarised ? " them" : " it"} what readings kept for the next questions. The file itself stays where it
        is.
      </p>
      <p className="path">{entry.path}</p>
      <div className="buttons end">
        <button type="button" onClick={() => dialog.current?.close()}>
          Keep
        </button>
        <button
          type="button"
          className="danger"
          onClick={() => {
            dialog.current?.close();
            void deleteStored(entry.path);
          }}
        >
          Delete for good
        </button>
      </div>
    </dialog>
  );
}
