/** What the first frame does not show: the panes of an open document, and what lies over them. Loaded after it. */
import { DocumentPane } from "./components/DocumentPane.js";
import { ExportSeveral } from "./components/ExportSeveral.js";
import { Models } from "./components/Models.js";
import { Palette } from "./components/Palette.js";
import { PaneSwitch } from "./components/PaneSwitch.js";
import { ScanLanguages } from "./components/ScanLanguages.js";
import { Settings } from "./components/Settings.js";
import { Shortcuts } from "./components/Shortcuts.js";
import { Storage } from "./components/Storage.js";
import { SummaryPane } from "./components/SummaryPane.js";
import type { OpenDocument } from "./stores/documents.js";

export { MemoryBar } from "./components/MemoryBar.js";

export function Panes({ document }: { document: OpenDocument }) {
  return (
    <>
      <PaneSwitch document={document} />
      <DocumentPane document={document} />
      <SummaryPane document={document} />
    </>
  );
}

export function Dialogs() {
  return (
    <>
      <Shortcuts />
      <Settings />
      <Models />
      <Palette />
      <Storage />
      <ExportSeveral />
      <ScanLanguages />
    </>
  );
}
