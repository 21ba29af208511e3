/**
 * The application menu. What acts inside the window is sent there, so that menu and keys do the same. Enter, Escape and ?
 * are no accelerators: the window knows what has the focus.
 */
import { Menu, type MenuItemConstructorOptions } from "electron";
import type { EventData } from "./contract.js";

export interface MenuActions {
  open(): void;
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
        item("Print Summary…", "print", "CmdOrCtrl+P"),
        { type: "separator" },
        item("Languages of Scanned Pages…", "scan-languages"),
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
        item("Search Documents and Summaries", "find", "CmdOrCtrl+F"),
      ],
    },
    { label: "Summary", submenu: [item("Start", "start"), item("Cancel", "cancel")] },
    {
      label: "View",
      submenu: [
        { role: "resetZoom" },
        { role: "zoomIn" },
        { role: "zoomOut" },
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
