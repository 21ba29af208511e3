import { t } from "../../electron/language.js";
import { type OpenDocument, useDocuments } from "../stores/documents.js";
import { formatFraction, formatRemaining } from "../view/format.js";
import { Ruler } from "./Reading.js";

/** A file being opened. Scanned pages take seconds each, so their recognition shows how far it is, and can be cancelled. */
export function Opening({ document }: { document: OpenDocument }) {
  const { scans, fraction = 0, remainingMs } = document.progress ?? {};
  if (!scans) return <p className="placeholder">{t("opening.opening", { name: document.name })}</p>;
  return (
    <div className="reading">
      <p className="reading-figure">
        <strong>{formatFraction(fraction)}</strong>
        <span>
          {remainingMs === undefined ? t("state.measuring") : t("state.left", { time: formatRemaining(remainingMs) })}
        </span>
      </p>
      <Ruler label={t("opening.recognising")} pages={scans.total} fraction={fraction} />
      <p className="small">
        {t("opening.recognisingPage", { page: Math.min(scans.done + 1, scans.total), total: scans.total })}
      </p>
    </div>
  );
}

/** A file whose opening the user stopped. */
export function OpeningCancelled({ document }: { document: OpenDocument }) {
  const { reopen } = useDocuments();
  return (
    <div className="before">
      <p className="placeholder">{t("opening.cancelled", { name: document.name })}</p>
      <div className="buttons">
        <button type="button" onClick={() => void reopen(document.id)}>
          {t("opening.again")}
        </button>
      </div>
    </div>
  );
}
