/** Everything that the window can be told to do, by name: what the command palette finds. */
import {
  cancelSelected,
  canStart,
  chooseFiles,
  chooseModel,
  closeDocument,
  openSample,
  startSelected,
  summarised,
} from "./actions.js";
import { findInLibrary, modifier } from "./keys.js";
import { useApp } from "./stores/connect.js";
import { selectedDocument, useDocuments } from "./stores/documents.js";
import { useModels } from "./stores/models.js";
import { useNotice } from "./stores/notice.js";
import { useSettings } from "./stores/settings.js";
import { useViews } from "./stores/views.js";
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
          name: "Export the summary…",
          words: "save pdf word html",
          keys: `${modifier} E`,
          run: () => useApp.getState().showExports(true),
        },
        { name: "Print the summary…", keys: `${modifier} P`, run: () => perform("print") },
        { name: "Copy the summary", keys: `${modifier} Shift C`, run: () => perform("copy") },
      ]
    : [];
  return [
    { name: "Open documents…", words: "file add", keys: `${modifier} O`, run: chooseFiles },
    { name: "Open the sample report", words: "example try", run: openSample },
    { name: "Search documents and summaries", words: "find library", keys: `${modifier} Shift F`, run: findInLibrary },
    ...(canStart() ? [{ name: "Start the summary", words: "summarise read", keys: "Enter", run: startSelected }] : []),
    ...(document
      ? [
          { name: "Cancel", words: "stop", keys: "Esc", run: cancelSelected },
          { name: "Close this document", run: () => closeDocument(document.id) },
        ]
      : []),
    ...finished,
    { name: "Models…", words: "download gguf choose", run: () => show("models") },
    { name: "Export several summaries…", words: "batch save folder", run: () => show("export-several") },
    { name: "Storage…", words: "disk space clear caches", run: () => show("storage") },
    { name: "Settings…", words: "preferences options", keys: `${modifier} ,`, run: () => show("settings") },
    { name: "Languages of scanned pages…", words: "ocr", run: () => useApp.getState().showScanLanguages(true) },
    { name: "Keyboard shortcuts", words: "help keys", keys: "?", run: () => useApp.getState().showShortcuts(true) },
    ...modelCommands(),
    ...choiceCommands(),
  ];
}

function modelCommands(): WindowCommand[] {
  const ready = useModels.getState().models?.filter(({ state, chosen }) => state === "ready" && !chosen) ?? [];
  return ready.map(({ id, name }) => ({ name: `Read with ${name}`, words: "use model", run: () => chooseModel(id) }));
}

/** A command for each value that a menu of the settings offers and that is not chosen. */
function choiceCommands(): WindowCommand[] {
  const current = useSettings.getState();
  return settings.flatMap(({ name, words, control }) => {
    if (control.kind !== "choice") return [];
    const chosen = control.chosen(current);
    return control.labels.flatMap((label, index) =>
      index === chosen ? [] : [{ name: `${name}: ${label}`, words, run: () => current.choose(control.change(index)) }],
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
