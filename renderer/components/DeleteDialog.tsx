import { t } from "../../electron/language.js";
import { deleteStored } from "../actions.js";
import { useLibrary } from "../stores/library.js";
import { Sheet } from "./Sheet.js";

/** Asked before a document leaves the library, because nothing brings it back. */
export function DeleteDialog() {
  const deleting = useLibrary((store) => store.deleting);
  const askDelete = useLibrary((store) => store.askDelete);
  const close = () => askDelete(undefined);
  return (
    <Sheet title={t("delete.title", { title: deleting?.title ?? "" })} shown={deleting !== undefined} close={close}>
      {deleting && (
        <>
          <p>{t(deleting.summarised ? "delete.aboutSummarised" : "delete.about")}</p>
          <p className="path">{deleting.path}</p>
          <div className="buttons end">
            <button type="button" onClick={close}>
              {t("common.keep")}
            </button>
            <button
              type="button"
              className="danger"
              onClick={() => {
                close();
                void deleteStored(deleting.path);
              }}
            >
              {t("delete.confirm")}
            </button>
          </div>
        </>
      )}
    </Sheet>
  );
}
