/** The one window: its place is remembered between starts. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { app, BrowserWindow, nativeTheme, screen } from "electron";
import * as z from "zod";
import { bridgeArgument } from "./bridge.js";
import { commandNames, eventNames } from "./contract.js";
import { origin } from "./origin.js";
import type { Settings } from "./settings.js";

const stateSchema = z.object({
  x: z.number().int().optional(),
  y: z.number().int().optional(),
  width: z.number().int().min(640),
  height: z.number().int().min(480),
  maximized: z.boolean(),
});
export type WindowState = z.infer<typeof stateSchema>;

const firstState: WindowState = { width: 1180, height: 800, maximized: false };

interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The remembered state, without a position that no screen shows any more; the first state when it is unreadable. */
export function restoreState(saved: unknown, screens: readonly Area[]): WindowState {
  const parsed = stateSchema.safeParse(saved);
  if (!parsed.success) return firstState;
  const { x, y, ...rest } = parsed.data;
  if (x === undefined || y === undefined) return rest;
  const visible = screens.some(
    (area) =>
      x < area.x + area.width - 80 && x + rest.width > area.x + 80 && y >= area.y - 8 && y < area.y + area.height - 80,
  );
  return visible ? { x, y, ...rest } : rest;
}

const stateFile = () => path.join(app.getPath("userData"), "window.json");

function savedState(): unknown {
  try {
    return JSON.parse(readFileSync(stateFile(), "utf8"));
  } catch {
    return undefined; // the first start, or a file that another program spoilt
  }
}

function rememberState(window: BrowserWindow): void {
  const state: WindowState = { ...window.getNormalBounds(), maximized: window.isMaximized() };
  try {
    writeFileSync(stateFile(), JSON.stringify(state));
  } catch (error) {
    console.warn("The window's place could not be remembered:", error);
  }
}

/** Opens the window; it is shown once its first frame is ready. A language that was chosen stands in its address. */
export function createWindow(preload: string, icon: string, language: Settings["interfaceLanguage"]): BrowserWindow {
  const { maximized, ...bounds } = restoreState(
    savedState(),
    screen.getAllDisplays().map((display) => display.workArea),
  );
  const window = new BrowserWindow({
    ...bounds,
    minWidth: 640,
    minHeight: 480,
    title: "Precis",
    icon,
    show: false,
    backgroundColor: nativeTheme.shouldUseDarkColors ? "#191715" : "#fbfaf7",
    webPreferences: {
      preload,
      additionalArguments: [bridgeArgument({ commands: commandNames, events: eventNames })],
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      spellcheck: false,
    },
  });
  if (maximized) window.maximize();
  window.once("ready-to-show", () => window.show());
  window.on("close", () => rememberState(window));
  void window.loadURL(`${origin}/index.html${language === "system" ? "" : `?language=${language}`}`);
  return window;
}

/** Brings a window to the front, out of the dock or taskbar if need be. */
export function focusWindow(window: BrowserWindow): void {
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
}
