/**
 * The application menu. What acts inside the window is sent there, so that menu and keys do the same. Enter, Escape and ?
 * are no accelerators: the window knows what has the focus.
 */
import { Menu, type MenuItemConstructorOptions } from "electron";
import type { EventData } from "./contract.js";

export interface MenuActions {
  open(): void;
  /** To the next larger or smaller zoom, or (0) to none. */
  zoom(direction: 1 | -1 | 0): void;
  send(item: EventData<"menu">["item"]): void;
}

export function menuTemplate(actions: MenuActions, platform: NodeJS.Platform): MenuItemConstructorOptions[] {
  const mac = platform === "darwin";
  const item = (label: string, name: EventData<"menu">["item"], accelerator?: string): MenuItemConstructorOptions => ({
    label,
    click: () => actions.send(name),
    ...(accelerator ? { accelerator } : {}),
  });
  return [
    ...(mac ? [{ role: "appMenu" } as const] : []),
    {
      label: "File",
      submenu: [
        { label: "Open…", accelerator: "CmdOrCtrl+O", click: () => actions.open() },
        item("Export Summary…", "export", "CmdOrCtrl+E"),
        item("Export Several Summaries…", "export-several"),
        item("Print Summary…", "print", "CmdOrCtrl+P"),
        { type: "separator" },
        item("Languages of Scanned Pages…", "scan-languages"),
        item("Storage…", "storage"),
        item("Models…", "models"),
        item("Settings…", "settings", "CmdOrCtrl+,"),
        { type: "separator" },
        mac ? { role: "close" } : { role: "quit" },
      ],
    },
    {
      label: "Edit",
      submenu: [
        { role: "copy" },
        item("Copy Summary", "copy", "CmdOrCtrl+Shift+C"),
        { role: "selectAll" },
        { type: "separator" },
        item("Find in This Document", "find-in-document", "CmdOrCtrl+F"),
        item("Search Documents and Summaries", "find", "CmdOrCtrl+Shift+F"),
      ],
    },
    { label: "Summary", submenu: [item("Start", "start"), item("Cancel", "cancel")] },
    {
      label: "View",
      submenu: [
        // Not Electron's own: the zoom is a setting, and remembered.
        { label: "Actual Size", accelerator: "CmdOrCtrl+0", click: () => actions.zoom(0) },
        { label: "Zoom In", accelerator: "CmdOrCtrl+Plus", click: () => actions.zoom(1) },
        { label: "Zoom Out", accelerator: "CmdOrCtrl+-", click: () => actions.zoom(-1) },
        { type: "separator" },
        item("All Commands…", "palette", "CmdOrCtrl+K"),
        { type: "separator" },
        { role: "togglefullscreen" },
      ],
    },
    { role: "window", submenu: [{ role: "minimize" }, { role: "zoom" }] },
    { role: "help", submenu: [item("Keyboard Shortcuts", "shortcuts")] },
  ];
}

export function installMenu(actions: MenuActions): void {
  Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate(actions, process.platform)));
}
