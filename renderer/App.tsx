import { lazy, Suspense, useEffect } from "react";
import { DropTarget } from "./components/DropTarget.js";
import { EmptyState } from "./components/EmptyState.js";
import { Library } from "./components/Library.js";
import { SettingsNotice } from "./components/SettingsNotice.js";
import { WorkerNotice } from "./components/WorkerNotice.js";
import { listenToKeys, listenToMenu } from "./keys.js";
import { painted, usePainted } from "./painted.js";
import { selectedDocument, useDocuments } from "./stores/documents.js";
import { useLibrary } from "./stores/library.js";
import { usePages } from "./stores/pages.js";
import { useQueue } from "./stores/queue.js";
import { useLanguage } from "./stores/settings.js";

const later = () => painted.then(() => import("./later.js"));
const Panes = lazy(async () => ({ default: (await later()).Panes }));
const MemoryBar = lazy(async () => ({ default: (await later()).MemoryBar }));
const Dialogs = lazy(async () => ({ default: (await later()).Dialogs }));

export function App() {
  useLanguage();
  usePainted();
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
          <Suspense>
            <Panes document={document} />
          </Suspense>
        </div>
      ) : listed || queued ? (
        <div className="panes">
          <Library />
          <EmptyState />
        </div>
      ) : (
        <EmptyState />
      )}
      {document && (
        <Suspense>
          <MemoryBar document={document} />
        </Suspense>
      )}
      <DropTarget />
      <Suspense>
        <Dialogs />
      </Suspense>
    </div>
  );
}
