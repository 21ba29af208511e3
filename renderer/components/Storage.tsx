import { useEffect, useState } from "react";
import type { Clearable, StorageUse, WireError } from "../../electron/contract.js";
import { t } from "../../electron/language.js";
import { precis } from "../precis.js";
import { useViews } from "../stores/views.js";
import { columnOfBytes, errorWords } from "../view/format.js";
import { Sheet } from "./Sheet.js";

const kinds = ["documents", "runs", "caches", "parts"] as const satisfies readonly (keyof StorageUse)[];

const isClearable = (kind: keyof StorageUse): kind is Clearable => kind === "caches" || kind === "parts";

/** What Precis keeps on this computer, and how to be rid of what can be made again. */
export function Storage() {
  const shown = useViews((store) => store.shown === "storage");
  const close = useViews((store) => store.close);
  return (
    <Sheet title={t("storage.title")} shown={shown} close={() => close("storage")}>
      {shown && <Use close={() => close("storage")} />}
    </Sheet>
  );
}

function Use({ close }: { close: () => void }) {
  const [use, setUse] = useState<StorageUse>();
  const [error, setError] = useState<WireError>();
  const ask = async (clear?: Clearable) => {
    const outcome = await precis().storage({ clear });
    if (outcome.ok) setUse(outcome.value);
    setError(outcome.ok ? undefined : outcome.error);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it opens
  useEffect(() => void ask(), []);
  const total = use ? Object.values(use).reduce((sum, bytes) => sum + bytes, 0) : 0;
  const formatBytes = columnOfBytes([total]);
  return (
    <>
      {error && (
        <p className="dialog-problem" role="alert">
          {errorWords(error)}
        </p>
      )}
      <dl className="storage">
        {kinds.map((kind) => (
          <div key={kind}>
            <dt>
              {t(`storage.${kind}`)}
              <small>{t(`storage.${kind}About`)}</small>
            </dt>
            <dd>{use ? formatBytes(use[kind]) : "–"}</dd>
            <dd>
              {isClearable(kind) && (
                <button
                  type="button"
                  disabled={!use || use[kind] === 0}
                  aria-label={t("storage.clear", { name: t(`storage.${kind}`) })}
                  onClick={() => void ask(kind)}
                >
                  {t("common.clear")}
                </button>
              )}
            </dd>
          </div>
        ))}
        <div>
          <dt>{t("storage.total")}</dt>
          <dd>{use ? formatBytes(total) : "–"}</dd>
          <dd />
        </div>
      </dl>
      <div className="buttons end">
        <button type="button" onClick={close}>
          {t("common.close")}
        </button>
      </div>
    </>
  );
}
