import { deleteStored } from "../actions.js";
import { useLibrary } from "../stores/library.js";
import { Sheet } from "./Sheet.js";

/** Asked before a document leaves the library, because nothing brings it back. */
export function DeleteDialog() {
  const { deleting, askDelete } = useLibrary();
  const close = () => askDelete(undefined);
  return (
    <Sheet title={`Delete “${deleting?.title ?? ""}”?`} shown={deleting !== undefined} close={close}>
      {deleting && (
        <>
          <p>
            Its text{deleting.summarised ? " and its summaries are" : " is"} deleted from the library for good, and with
            {deleting.summarised ? " them" : " it"} what readings kept for the next questions. The file itself stays
            where it is.
          </p>
          <p className="path">{deleting.path}</p>
          <div className="buttons end">
            <button type="button" onClick={close}>
              Keep
            </button>
            <button
              type="button"
              className="danger"
              onClick={() => {
                close();
                void deleteStored(deleting.path);
              }}
            >
              Delete for good
            </button>
          </div>
        </>
      )}
    </Sheet>
  );
}
