import { type KeyboardEvent, useEffect, useRef } from "react";
import { t } from "../../../electron/language.js";
import { usePages } from "../../stores/pages.js";
import { comparable, ordinalOf } from "../../view/find.js";
import { formatCount, type Unit } from "../../view/format.js";
import type { Find } from "./useFind.js";

/** The search within the document: Enter goes to the next place, Shift+Enter to the one before, Esc ends it. */
export function FindBar({ find, unit }: { find: Find; unit: Unit }) {
  const { finding, closeFind } = usePages();
  const field = useRef<HTMLInputElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each time that it is asked for
  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, [finding]);

  const close = () => {
    field.current?.closest(".pages")?.querySelector<HTMLElement>(".page-list")?.focus();
    closeFind();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") close();
    else if (event.key === "Enter" && event.target === field.current) find.step(event.shiftKey ? -1 : 1);
    else return;
    event.preventDefault();
  };
  const none = find.current === undefined;
  return (
    <search className="find-bar" onKeyDown={onKeyDown}>
      <input
        ref={field}
        type="search"
        aria-label={t("find.title")}
        placeholder={t("find.title")}
        maxLength={500}
        value={find.query}
        onChange={(event) => find.search(event.target.value)}
      />
      <p className="small" role="status">
        {stateWords(find, unit)}
      </p>
      <button
        type="button"
        className="icon"
        disabled={none}
        aria-label={t("find.before")}
        onClick={() => find.step(-1)}
      >
        <svg viewBox="0 0 12 12" aria-hidden="true">
          <path d="M2.5 7.5L6 4l3.5 3.5" />
        </svg>
      </button>
      <button type="button" className="icon" disabled={none} aria-label={t("find.next")} onClick={() => find.step(1)}>
        <svg viewBox="0 0 12 12" aria-hidden="true">
          <path d="M2.5 4.5L6 8l3.5-3.5" />
        </svg>
      </button>
      <button type="button" className="icon" aria-label={t("find.end")} onClick={close}>
        <svg viewBox="0 0 12 12" aria-hidden="true">
          <path d="M2.5 2.5l7 7m0-7l-7 7" />
        </svg>
      </button>
    </search>
  );
}

function stateWords({ query, counts, current, finished, missed }: Find, unit: Unit): string {
  if (comparable(query) === "") return "";
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0 && !finished) return t("find.searching");
  const values = { total: formatCount(total), at: current ? formatCount(ordinalOf(counts, current)) : "" };
  if (!finished) return t(current ? "find.atSoFar" : "find.soFar", values);
  const found = total === 0 ? t("find.nothing") : current ? t("find.at", values) : values.total;
  return missed > 0 ? t(`${unit}.missed`, { found, count: missed }) : found;
}
