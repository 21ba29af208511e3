import { type KeyboardEvent, useState } from "react";
import { t } from "../../../electron/language.js";
import { withModifier } from "../../keys.js";
import { usePages } from "../../stores/pages.js";
import { formatCount, formatPercent, type Unit } from "../../view/format.js";
import { nextZoom } from "../../view/page-layout.js";

interface Props {
  readonly page: number;
  readonly count: number;
  readonly unit: Unit;
  /** What the pages are shown at now, also when they fit the width. */
  readonly zoom: number;
  /** Whether it is known what reading kept. */
  readonly withKept: boolean;
}

/** Which page, of how many, how large; and the way to the search. */
export function PageBar({ page, count, unit, zoom, withKept }: Props) {
  const { zoom: chosen, tinted, setZoom, showKept, find } = usePages();
  return (
    <div className="page-bar">
      <PageField page={page} count={count} unit={unit} />
      <span className="spacer" />
      {withKept && (
        <button
          type="button"
          className="icon"
          aria-label={t("pages.kept")}
          title={t("pages.keptAbout")}
          aria-pressed={tinted}
          onClick={() => showKept(!tinted)}
        >
          <svg viewBox="0 0 12 12" aria-hidden="true">
            <path d="M2 10.5h8M3.5 8l5-6 1.5 1.3-5 6-2 .4z" />
          </svg>
        </button>
      )}
      <button
        type="button"
        className="icon"
        aria-label={t("pages.smaller")}
        onClick={() => setZoom(nextZoom(zoom, -1))}
      >
        <svg viewBox="0 0 12 12" aria-hidden="true">
          <path d="M2.5 6h7" />
        </svg>
      </button>
      <span className="page-zoom">{formatPercent(Math.round(100 * zoom))}</span>
      <button type="button" className="icon" aria-label={t("pages.larger")} onClick={() => setZoom(nextZoom(zoom, 1))}>
        <svg viewBox="0 0 12 12" aria-hidden="true">
          <path d="M2.5 6h7M6 2.5v7" />
        </svg>
      </button>
      <button type="button" className="quiet" aria-pressed={chosen === "fit"} onClick={() => setZoom("fit")}>
        {t("pages.fit")}
      </button>
      <button
        type="button"
        className="icon"
        aria-label={t("find.title")}
        title={t("pages.find", { keys: withModifier("F") })}
        onClick={find}
      >
        <svg viewBox="0 0 12 12" aria-hidden="true">
          <path d="M8 8l2.5 2.5M5 8.5a3.5 3.5 0 1 1 0-7 3.5 3.5 0 0 1 0 7z" />
        </svg>
      </button>
    </div>
  );
}

/** Shows the page that is read; a number that is written in goes there. */
function PageField({ page, count, unit }: Omit<Props, "zoom" | "withKept">) {
  const goTo = usePages((store) => store.goTo);
  const [written, setWritten] = useState<string>();
  const go = () => {
    const wanted = Number.parseInt(written ?? "", 10);
    if (Number.isFinite(wanted)) goTo(Math.min(count, Math.max(1, wanted)));
    setWritten(undefined);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter") go();
    else if (event.key === "Escape" && written !== undefined) setWritten(undefined);
    else return;
    event.preventDefault();
  };
  return (
    <span className="page-field">
      <input
        type="text"
        inputMode="numeric"
        aria-label={t(`${unit}.singular`)}
        value={written ?? String(page)}
        onFocus={(event) => event.target.select()}
        onChange={(event) => setWritten(event.target.value)}
        onBlur={go}
        onKeyDown={onKeyDown}
      />
      <span>{t("pages.of", { number: formatCount(count) })}</span>
    </span>
  );
}
