import { useEffect } from "react";
import { DocumentPane } from "./components/DocumentPane.js";
import { DropTarget } from "./components/DropTarget.js";
import { EmptyState } from "./components/EmptyState.js";
import { ExportSeveral } from "./components/ExportSeveral.js";
import { Library } from "./components/Library.js";
import { MemoryBar } from "./components/MemoryBar.js";
import { Models } from "./components/Models.js";
import { Palette } from "./components/Palette.js";
import { PaneSwitch } from "./components/PaneSwitch.js";
import { ScanLanguages } from "./components/ScanLanguages.js";
import { Settings } from "./components/Settings.js";
import { SettingsNotice } from "./components/SettingsNotice.js";
import { Shortcuts } from "./components/Shortcuts.js";
import { Storage } from "./components/Storage.js";
import { SummaryPane } from "./components/SummaryPane.js";
import { WorkerNotice } from "./components/WorkerNotice.js";
import { listenToKeys, listenToMenu } from "./keys.js";
import { selectedDocument, useDocuments } from "./stores/documents.js";
import { useLibrary } from "./stores/library.js";
import { usePages } from "./stores/pages.js";
import { useQueue } from "./stores/queue.js";
import { useLanguage } from "./stores/settings.js";

export function App() {
  useLanguage();
  const document = useDocuments(selectedDocument);
  // The library stands beside the empty sheet, once there is anything in it.
  const listed = useLibrary((store) => store.error !== undefined || (store.list?.total ?? 0) > 0);
  const queued = useQueue((store) => store.items.length > 0);
  const side = usePages((store) => store.side);
  useEffect(listenToKeys, []);
  useEffect(listenToMenu, []);
  return (
    <div className="app" data-empty={document === undefined}>
      <WorkerNotice />
      <SettingsNotice />
      {document ? (
        <div className="panes" data-side={side}>
          <Library />
          <PaneSwitch />
          <DocumentPane document={document} />
          <SummaryPane document={document} />
        </div>
      ) : listed || queued ? (
        <div className="panes">
          <Library />
          <EmptyState />
        </div>
      ) : (
        <EmptyState />
      )}
      {document && <MemoryBar document={document} />}
      <DropTarget />
      <Shortcuts />
      <Settings />
      <Models />
      <Palette />
      <Storage />
      <ExportSeveral />
      <ScanLanguages />
    </div>
  );
}
