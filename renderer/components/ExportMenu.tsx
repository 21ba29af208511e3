import { type KeyboardEvent, useEffect, useRef } from "react";
import { t } from "../../electron/language.js";
import type { Output } from "../actions.js";
import { withModifier } from "../keys.js";
import { useApp } from "../stores/connect.js";
import { useNotice } from "../stores/notice.js";
import { exportFormats } from "../view/choices.js";

const items = (): readonly (readonly [Output, string])[] => [
  ...exportFormats().map(([format, name]) => [format, t("export.item", { name })] as const),
  ["print", t("export.print")],
];

/** The button whose menu names every way out of the window; arrow keys move in it, Esc and Tab leave it. */
export function ExportMenu() {
  const { exportsShown, showExports } = useApp();
  const perform = useNotice((store) => store.perform);
  const button = useRef<HTMLButtonElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (exportsShown) menu.current?.querySelector("button")?.focus();
  }, [exportsShown]);
  // Another document, or new choices, take the menu away with the summary.
  useEffect(() => () => showExports(false), [showExports]);

  const close = () => {
    showExports(false);
    button.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const entries = [...(menu.current?.querySelectorAll("button") ?? [])];
    const to = nextEntry(event.key, entries.indexOf(event.target as HTMLButtonElement), entries.length);
    if (event.key === "Escape") close();
    else if (event.key === "Tab") showExports(false);
    else entries[to ?? -1]?.focus();
    if (to === undefined && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only hears that the focus leaves what is in it
    <div
      className="menu-anchor"
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) showExports(false);
      }}
    >
      <button
        ref={button}
        type="button"
        aria-haspopup="menu"
        aria-expanded={exportsShown}
        onClick={() => showExports(!exportsShown)}
      >
        {t("export.button")} <kbd>{withModifier("E")}</kbd>
      </button>
      {exportsShown && (
        <div ref={menu} className="menu" role="menu" aria-label={t("shortcuts.export")} onKeyDown={onKeyDown}>
          {items().map(([what, label]) => (
            <button
              key={what}
              type="button"
              role="menuitem"
              tabIndex={-1}
              data-apart={what === "print"}
              onClick={() => {
                close();
                void perform(what);
              }}
            >
              {label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

/** The entry that a key moves to, going round at both ends; undefined for other keys. */
function nextEntry(key: string, at: number, count: number): number | undefined {
  switch (key) {
    case "ArrowDown":
      return (at + 1) % count;
    case "ArrowUp":
      return (at + count - 1) % count;
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return undefined;
  }
}
