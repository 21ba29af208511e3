/** The keyboard and the menu. Ctrl/Cmd+O, E, P and Shift+C are the menu's own accelerators. */
import { t } from "../electron/language.js";
import { cancelSelected, findInDocument, startSelected, startsAgain, summarised } from "./actions.js";
import { precis } from "./precis.js";
import { useApp } from "./stores/connect.js";
import { useNotice } from "./stores/notice.js";
import { isView, useViews } from "./stores/views.js";

/** What keys are called that are pressed together with another. */
const modifier = () => (navigator.platform.startsWith("Mac") ? "⌘" : t("keys.ctrl"));
const shift = () => t("keys.shift");

/** "Ctrl E". */
export const withModifier = (key: string): string => `${modifier()} ${key}`;

/** "Ctrl Shift C". */
export const withShift = (key: string): string => withModifier(`${shift()} ${key}`);

export const shortcuts = (): readonly (readonly [string, string])[] => [
  [withModifier("O"), t("shortcuts.open")],
  [withModifier("F"), t("shortcuts.find")],
  [withShift("F"), t("shortcuts.search")],
  [t("keys.enter"), t("shortcuts.start")],
  [t("keys.esc"), t("shortcuts.cancel")],
  [withModifier("E"), t("shortcuts.export")],
  [withModifier("P"), t("shortcuts.print")],
  [withShift("C"), t("shortcuts.copy")],
  ["← →", t("shortcuts.sliderStep")],
  [t("keys.pageUpDown"), t("shortcuts.sliderMark")],
  ["↑ ↓", t("shortcuts.libraryMove")],
  [t("keys.chooseSeveral", { shift: shift(), modifier: modifier() }), t("shortcuts.librarySeveral")],
  [`${t("keys.alt")} ↑ ↓`, t("shortcuts.queueMove")],
  [t("keys.delete"), t("shortcuts.queueRemove")],
  ["F6", t("shortcuts.pane")],
  [withModifier("K"), t("shortcuts.palette")],
  [withModifier(","), t("shortcuts.settings")],
  ["?", t("shortcuts.sheet")],
];

/**
 * Whether Enter belongs to what has the focus: a button presses itself, a list opens itself. The selected document's
 * own entry would only select it once more, so there Enter starts.
 */
function takesEnter(target: EventTarget | null): boolean {
  if (!(target instanceof Element) || target.matches(".entry-main[aria-current=true]")) return false;
  return target.closest("button, select, a, summary, input:not([type=range])") !== null;
}

/** Where a question mark is only written. */
const isTextField = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement && ["text", "search"].includes(target.type);

/** The window's parts, and where the keyboard goes on in each: what is chosen there, or else the first that takes it. */
const panes = ".library, .document, .summary, .memory";
const goesOn = [".entry-main[aria-current=true]", ".page-list", "input[type=range]:enabled"];
const takesFocus = ":is(button, input, select, summary, [tabindex='0']):not(:disabled)";

/** Moves the focus to the next (1) or the last (-1) part that is seen and takes it. */
function goToPane(step: 1 | -1): void {
  const shown = [...document.querySelectorAll<HTMLElement>(panes)].filter((pane) => pane.offsetParent !== null);
  const at = shown.findIndex((pane) => pane.contains(document.activeElement));
  const first = at < 0 && step < 0 ? 0 : at;
  for (let moved = 1; moved <= shown.length; moved += 1) {
    const pane = shown.at((first + step * moved) % shown.length);
    const place = pane?.querySelector<HTMLElement>(goesOn.join()) ?? pane?.querySelector<HTMLElement>(takesFocus);
    place?.focus();
    if (place) return;
  }
}

export function listenToKeys(): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const { shortcutsShown, showShortcuts } = useApp.getState();
    // A dialog that lies over the documents has these keys to itself.
    const inDialog = document.querySelector("dialog:modal") !== null;
    if (event.key === "?" && !isTextField(event.target) && (shortcutsShown || !inDialog))
      showShortcuts(!shortcutsShown);
    else if (inDialog) return;
    else if (event.key === "F6") goToPane(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") cancelSelected();
    // a finished summary leaves the screen when it is begun again: that takes the button
    else if (event.key === "Enter" && !takesEnter(event.target) && !startsAgain()) startSelected();
    else return;
    event.preventDefault();
  };
  window.addEventListener("keydown", onKey);
  return () => window.removeEventListener("keydown", onKey);
}

export function findInLibrary(): void {
  document.getElementById("library-search")?.focus();
}

export function listenToMenu(): () => void {
  return precis().on("menu", ({ item }) => {
    if (item === "start") startSelected();
    else if (item === "cancel") cancelSelected();
    else if (item === "shortcuts") useApp.getState().showShortcuts(true);
    else if (item === "find") findInLibrary();
    else if (isView(item)) useViews.getState().show(item);
    else if (item === "find-in-document") findInDocument();
    else if (item === "export") useApp.getState().showExports(summarised() !== undefined);
    else if (item === "scan-languages") useApp.getState().showScanLanguages(true);
    else void useNotice.getState().perform(item);
  });
}
