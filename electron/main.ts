/** Precis' main process: one instance, one window, one worker. */

import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { app, type BrowserWindow, dialog, ipcMain, nativeTheme, shell } from "electron";
import { extensions } from "../core/documents/extensions.js";
import { languagesIn } from "../core/documents/ocr.js";
import { machineMemory } from "../core/estimate/machine.js";
import { Background } from "./background.js";
import { channelOf } from "./bridge.js";
import type { EventData, EventName, ExportFormat, Settings, SettingsChange } from "./contract.js";
import { OpenDocuments } from "./documents.js";
import { documentsIn, pdfData, pdfPart } from "./files.js";
import { steppedZoom } from "./first-settings.js";
import { createHandlers, registerIpc } from "./ipc.js";
import { languageOf, speak, t } from "./language.js";
import { keepLog } from "./log.js";
import { installMenu } from "./menu.js";
import { Models } from "./models.js";
import { Queue } from "./queue.js";
import { lockDown, registerScheme, serveRenderer } from "./security.js";
import { SettingsFile } from "./settings-file.js";
import { translated } from "./translation.js";
import { createWindow, focusWindow } from "./window.js";
import { wireError } from "./wire-error.js";
import { startWorker } from "./worker.js";

/** dist/, beside which assets/ lies. */
const dist = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const assets = path.join(path.dirname(dist), "assets");
const icon = path.join(assets, "icon.png");

let window: BrowserWindow | undefined;
/** Files waiting for a window that can take them. */
let waiting = documentsIn(process.argv.slice(1), process.cwd());
let listening = false;

function send<Name extends EventName>(name: Name, data: EventData<Name>): void {
  if (window && !window.isDestroyed()) window.webContents.send(channelOf(name), data);
}

function open(paths: string[]): void {
  if (paths.length === 0) return;
  if (listening) send("openFiles", { paths });
  else waiting.push(...paths);
}

/** Where the last file was opened and saved: the next one often lies beside it. */
const folders: { opened?: string; saved?: string } = {};

async function chooseFiles(): Promise<string[]> {
  if (!window) return [];
  const { filePaths } = await dialog.showOpenDialog(window, {
    defaultPath: folders.opened ?? app.getPath("documents"),
    properties: ["openFile", "multiSelections"],
    filters: [
      { name: t("documents.title"), extensions },
      { name: t("files.all"), extensions: ["*"] },
    ],
  });
  if (filePaths[0]) folders.opened = path.dirname(filePaths[0]);
  return filePaths;
}

async function chooseFolder(): Promise<string | undefined> {
  if (!window) return undefined;
  const { filePaths } = await dialog.showOpenDialog(window, { properties: ["openDirectory"] });
  return filePaths[0];
}

async function chooseModelFile(): Promise<string | undefined> {
  if (!window) return undefined;
  const { filePaths } = await dialog.showOpenDialog(window, {
    properties: ["openFile"],
    filters: [
      { name: t("models.title"), extensions: ["gguf"] },
      { name: t("files.all"), extensions: ["*"] },
    ],
  });
  return filePaths[0];
}

async function chooseTarget(suggestion: string, format: ExportFormat): Promise<string | undefined> {
  if (!window) return undefined;
  const { canceled, filePath } = await dialog.showSaveDialog(window, {
    defaultPath: path.join(folders.saved ?? app.getPath("documents"), suggestion),
    filters: [{ name: t(`formats.${format}`), extensions: [format] }],
  });
  if (canceled || !filePath) return undefined;
  folders.saved = path.dirname(filePath);
  return filePath;
}

function takeFiles(): string[] {
  listening = true;
  const files = waiting;
  waiting = [];
  return files;
}

function openWindow(language: Settings["interfaceLanguage"]): BrowserWindow {
  listening = false;
  window = createWindow(path.join(dist, "electron", "preload.cjs"), icon, language);
  window.on("closed", () => {
    window = undefined;
  });
  return window;
}

/** Every export, with the libraries that write them: no start needs those. */
const exporting = () => import("./exports.js");

/** How long quitting waits for the queue's last save: a worker that hangs must not keep the app from ending. */
const lastSaveMs = 2_000;

const libraryFile = () => path.join(app.getPath("userData"), "library.sqlite");

const logFile = () => path.join(app.getPath("logs"), "precis.log");
const showLog = () => shell.showItemInFolder(logFile());

/** The longest that the worker waits for the window's first frame. */
const firstFrameMs = 5_000;

async function start(): Promise<void> {
  await app.whenReady();
  lockDown();
  // What is to be said of the settings is said in the system's language.
  speak(languageOf("system", app.getLocale()));
  serveRenderer(path.join(dist, "renderer"));
  const settings = new SettingsFile(path.join(app.getPath("userData"), "settings.json"), (error) =>
    send("settingsProblem", wireError(error)),
  );
  nativeTheme.themeSource = settings.current.theme;
  speak(languageOf(settings.current.interfaceLanguage, app.getLocale()));
  // Before all else: its process starts while the rest is put together here.
  const firstWindow = openWindow(settings.current.interfaceLanguage);
  const firstFrame = new Promise<void>((resolve) => firstWindow.once("ready-to-show", resolve));
  const worker = startWorker(
    path.join(dist, "worker", "main.mjs"),
    libraryFile(),
    settings.current.cacheGiB * 2 ** 30,
    () => settings.current,
    // Both at once would make a small machine show its window later.
    Promise.race([firstFrame, setTimeout(firstFrameMs)]),
    (error, restarted) => {
      documents.forget();
      if (!restarted) queue.holdAll();
      send("workerDied", { error, restarted });
    },
  );
  const models = new Models({
    network: () => settings.current,
    inspect: (file) => worker.inspectModel(file),
    chosen: () => settings.current.model,
    loaded: () => worker.loaded(),
    changed: (id, activity) => send("modelActivity", { id, activity }),
    availableBytes: () => machineMemory().availableBytes,
  });
  const changeSettings = (change: SettingsChange) => {
    const changed = settings.change(change);
    if (change.theme) nativeTheme.themeSource = change.theme;
    if (change.interfaceLanguage) {
      speak(languageOf(change.interfaceLanguage, app.getLocale()));
      showMenu();
      void queue.state().then((state) => background.update(state));
    }
    if (change.zoom) window?.webContents.setZoomFactor(change.zoom);
    if (change.cacheGiB !== undefined) void worker.limitCaches(change.cacheGiB * 2 ** 30).catch(console.error);
    return changed;
  };
  const zoomTo = (zoom: number) => send("settings", changeSettings({ zoom }));
  const documents = new OpenDocuments(worker.summarizer);
  const queue = new Queue({
    load: () => worker.library.queue(),
    save: (items) => worker.library.saveQueue(items),
    summarize: async (item, call) => {
      await worker.summarizer.loadModel(call);
      return documents.readAll([item.path, ...(item.further ?? [])], item, call, ([documentId = "", ...further]) =>
        worker.summarizer.summarize(documentId, item.options, call, further),
      );
    },
    onProgress: (runId, progress) => send("progress", { runId, progress }),
    onText: (runId, text) => send("text", { runId, text }),
    changed: (state) => {
      send("queueChanged", state);
      background.update(state);
    },
    ended: (item) => background.notify(item),
  });
  const show = (paths: string[]) => {
    if (window) focusWindow(window);
    else newWindow();
    open(paths);
  };
  const background = new Background(icon, queue, show);
  const newWindow = () => attend(openWindow(settings.current.interfaceLanguage));
  const attend = (opened: BrowserWindow) => {
    background.watch(opened);
    // A new page starts without it.
    opened.webContents.on("dom-ready", () => opened.webContents.setZoomFactor(settings.current.zoom));
    opened.on("closed", () => void documents.closeAll());
  };
  registerIpc(
    ipcMain,
    createHandlers({
      summarizer: worker.summarizer,
      library: worker.library,
      storage: worker.storage,
      models,
      settings,
      changeSettings,
      documents,
      queue,
      takeFiles,
      machine: machineMemory,
      sample: path.join(assets, "samples", "harbour-report.pdf"),
      chooseFiles,
      chooseFolder,
      chooseModelFile,
      pdfPart,
      pdfData,
      scanLanguages: languagesIn,
      chooseTarget,
      writeSummary: async (...file) => (await exporting()).writeSummary(...file),
      summaryToCopy: async (result) => (await exporting()).summaryToCopy(result),
      printSummary: async (result) => (await exporting()).printSummary(result),
      showLog,
      send,
    }),
  );
  const showMenu = () =>
    installMenu({
      open: async () => open(await chooseFiles()),
      quit: () => void background.quit(),
      zoom: (direction) => zoomTo(direction === 0 ? 1 : steppedZoom(settings.current.zoom, direction)),
      showLog,
      send: (item) => send("menu", { item }),
    });
  showMenu();
  attend(firstWindow);

  app.on("activate", () => show([]));
  app.on("window-all-closed", () => process.platform !== "darwin" && app.quit());
  quitAfter(async () => {
    await Promise.race([queue.stop(), setTimeout(lastSaveMs)]);
    await Promise.all([worker.stop(), models.stop(), settings.flush()]);
  });
}

/** Everything native must be disposed before the process ends, or it aborts: quitting waits for that. */
function quitAfter(stop: () => Promise<void>): void {
  let stopped = false;
  app.on("before-quit", (event) => {
    if (stopped) return;
    event.preventDefault();
    stop()
      .catch((error) => console.error("The worker did not stop cleanly:", error))
      .finally(() => {
        stopped = true;
        app.quit();
      });
  });
}

registerScheme();
if (app.requestSingleInstanceLock()) {
  const { electron } = process.versions;
  const system = `${process.platform} ${process.arch}`;
  keepLog(logFile(), `${new Date().toISOString()} Precis ${app.getVersion()}, Electron ${electron}, ${system}`);
  app.on("second-instance", (_event, args, cwd) => {
    if (window) focusWindow(window);
    open(documentsIn(args.slice(1), cwd));
  });
  app.on("open-file", (event, file) => {
    event.preventDefault();
    open([file]);
  });
  start().catch((error) => {
    console.error(error);
    dialog.showErrorBox(t("errors.notStarted"), translated(error instanceof Error ? error.message : String(error)));
    app.exit(1);
  });
} else {
  app.quit();
}
