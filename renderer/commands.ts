/** Everything that the window can be told to do, by name: what the command palette finds. */
import { t } from "../electron/language.js";
import {
  cancelSelected,
  canStart,
  chooseFiles,
  chooseModel,
  closeDocument,
  openSample,
  showLog,
  startSelected,
  summarised,
} from "./actions.js";
import { findInLibrary, withModifier, withShift } from "./keys.js";
import { useApp } from "./stores/connect.js";
import { type OpenDocument, selectedDocument, useDocuments } from "./stores/documents.js";
import { useLibrary } from "./stores/library.js";
import { useModels } from "./stores/models.js";
import { useNotice } from "./stores/notice.js";
import { rowsOf, useQueue, wholeQueue } from "./stores/queue.js";
import { useSettings } from "./stores/settings.js";
import { useViews } from "./stores/views.js";
import { wholeWords } from "./view/queue.js";
import { settings } from "./view/settings.js";

export interface WindowCommand {
  readonly name: string;
  /** What else people call it. */
  readonly words?: string;
  readonly keys?: string;
  run(): unknown;
}

/** Those that can be carried out now. */
export function commandsNow(): readonly WindowCommand[] {
  const document = selectedDocument(useDocuments.getState());
  const perform = useNotice.getState().perform;
  const { show } = useViews.getState();
  const finished: WindowCommand[] = summarised()
    ? [
        {
          name: t("commands.export"),
          words: t("commands.exportWords"),
          keys: withModifier("E"),
          run: () => useApp.getState().showExports(true),
        },
        { name: t("commands.print"), keys: withModifier("P"), run: () => perform("print") },
        { name: t("commands.copy"), keys: withShift("C"), run: () => perform("copy") },
      ]
    : [];
  return [
    { name: t("common.openDocuments"), words: t("commands.openWords"), keys: withModifier("O"), run: chooseFiles },
    { name: t("commands.sample"), words: t("commands.sampleWords"), run: openSample },
    {
      name: t("shortcuts.search"),
      words: t("commands.searchWords"),
      keys: withShift("F"),
      run: findInLibrary,
    },
    ...(canStart()
      ? [
          {
            name: t("shortcuts.start"),
            words: t("commands.startWords"),
            keys: t("keys.enter"),
            run: startSelected,
          },
        ]
      : []),
    ...(document
      ? [
          { name: t("common.cancel"), words: t("commands.cancelWords"), keys: t("keys.esc"), run: cancelSelected },
          { name: t("common.closeDocument"), run: () => closeDocument(document.id) },
        ]
      : []),
    ...finished,
    ...queueCommands(),
    ...tagCommands(document),
    { name: t("common.models"), words: t("commands.modelsWords"), run: () => show("models") },
    { name: t("commands.several"), words: t("commands.severalWords"), run: () => show("export-several") },
    { name: t("common.storage"), words: t("commands.storageWords"), run: () => show("storage") },
    {
      name: t("commands.settings"),
      words: t("commands.settingsWords"),
      keys: withModifier(","),
      run: () => show("settings"),
    },
    {
      name: t("commands.scans"),
      words: t("commands.scansWords"),
      run: () => useApp.getState().showScanLanguages(true),
    },
    {
      name: t("commands.shortcuts"),
      words: t("commands.shortcutsWords"),
      keys: "?",
      run: () => useApp.getState().showShortcuts(true),
    },
    { name: t("commands.log"), words: t("commands.logWords"), run: showLog },
    ...modelCommands(),
    ...choiceCommands(),
  ];
}

function queueCommands(): WindowCommand[] {
  const queue = useQueue.getState();
  if (rowsOf(queue).length === 0) return [];
  const now = wholeQueue(queue);
  const name = (label: string) => t("commands.choice", { name: t("commands.queue"), label });
  const run = now === "pause" ? () => queue.act({ what: "hold" }) : () => queue.resume();
  return [
    ...(now ? [{ name: name(t(wholeWords[now])), run }] : []),
    { name: name(t("queue.clear")), run: () => queue.act({ what: "cancel" }) },
  ];
}

function tagCommands(document: OpenDocument | undefined): WindowCommand[] {
  const { list, tag: shown, only, changeTags } = useLibrary.getState();
  const title = document && (document.summary?.title || document.name);
  const choices = list?.tags.filter(({ tag }) => tag !== shown) ?? [];
  return [
    ...(document && title
      ? [{ name: t("tags.ofQuoted", { title }), run: () => changeTags({ path: document.path, title }) }]
      : []),
    ...choices.map(({ tag }) => ({
      name: t("commands.tagged", { tag }),
      words: t("tags.filter"),
      run: () => only(tag),
    })),
    ...(shown === undefined ? [] : [{ name: t("commands.allDocuments"), run: () => only(undefined) }]),
  ];
}

function modelCommands(): WindowCommand[] {
  const ready = useModels.getState().models?.filter(({ state, chosen }) => state === "ready" && !chosen) ?? [];
  return ready.map(({ id, name }) => ({
    name: t("commands.readWith", { name }),
    words: t("commands.readWithWords"),
    run: () => chooseModel(id),
  }));
}

/** A command for each value that a menu of the settings offers and that is not chosen. */
function choiceCommands(): WindowCommand[] {
  const current = useSettings.getState();
  return settings().flatMap(({ name, words, control }) => {
    if (control.kind !== "choice") return [];
    const chosen = control.chosen(current);
    return control.labels.flatMap((label, index) =>
      index === chosen
        ? []
        : [{ name: t("commands.choice", { name, label }), words, run: () => current.choose(control.change(index)) }],
    );
  });
}

/** Those that have all the words of a search. */
export function findCommands(query: string, commands: readonly WindowCommand[]): readonly WindowCommand[] {
  const wanted = query.toLowerCase().split(/\s+/).filter(Boolean);
  return commands.filter(({ name, words = "" }) => {
    const text = `${name} ${words}`.toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}
