/**
 * The application menu. What acts inside the window is sent there, so that menu and keys do the same. Enter, Escape and ?
 * are no accelerators: the window knows what has the focus.
 */

import { Menu, type MenuItemConstructorOptions } from "electron";
import type { EventData } from "./contract.js";
import { t } from "./language.js";

export interface MenuActions {
  open(): void;
  quit(): void;
  /** To the next larger or smaller zoom, or (0) to none. */
  zoom(direction: 1 | -1 | 0): void;
  showLog(): void;
  send(item: EventData<"menu">["item"]): void;
}

export function menuTemplate(actions: MenuActions, platform: NodeJS.Platform): MenuItemConstructorOptions[] {
  const mac = platform === "darwin";
  const item = (label: string, name: EventData<"menu">["item"], accelerator?: string): MenuItemConstructorOptions => ({
    label,
    click: () => actions.send(name),
    ...(accelerator ? { accelerator } : {}),
  });
  const settings = item(t("commands.settings"), "settings", "CmdOrCtrl+,");
  const quit = {
    label: t(mac ? "tray.quit" : "menu.quit"),
    accelerator: "CmdOrCtrl+Q",
    click: () => actions.quit(),
  };
  const menus: MenuItemConstructorOptions[] = [
    {
      label: t("menu.file"),
      submenu: [
        { label: t("documents.open"), accelerator: "CmdOrCtrl+O", click: () => actions.open() },
        item(t("menu.export"), "export", "CmdOrCtrl+E"),
        item(t("menu.several"), "export-several"),
        item(t("menu.print"), "print", "CmdOrCtrl+P"),
        { type: "separator" },
        item(t("menu.scans"), "scan-languages"),
        item(t("common.storage"), "storage"),
        item(t("common.models"), "models"),
        ...(mac ? [] : [settings]),
        { type: "separator" },
        mac ? { role: "close", label: t("menu.close") } : quit,
      ],
    },
    {
      label: t("menu.edit"),
      submenu: [
        { role: "copy", label: t("menu.copy") },
        item(t("menu.copySummary"), "copy", "CmdOrCtrl+Shift+C"),
        { role: "selectAll", label: t("menu.selectAll") },
        { type: "separator" },
        item(t("menu.find"), "find-in-document", "CmdOrCtrl+F"),
        item(t("menu.search"), "find", "CmdOrCtrl+Shift+F"),
      ],
    },
    {
      label: t("summary.title"),
      submenu: [item(t("memory.start"), "start"), item(t("common.cancel"), "cancel")],
    },
    {
      label: t("menu.view"),
      submenu: [
        // Not Electron's own: the zoom is a setting, and remembered.
        { label: t("menu.actualSize"), accelerator: "CmdOrCtrl+0", click: () => actions.zoom(0) },
        { label: t("menu.zoomIn"), accelerator: "CmdOrCtrl+Plus", click: () => actions.zoom(1) },
        { label: t("menu.zoomOut"), accelerator: "CmdOrCtrl+-", click: () => actions.zoom(-1) },
        { type: "separator" },
        item(t("menu.palette"), "palette", "CmdOrCtrl+K"),
        { type: "separator" },
        { role: "togglefullscreen", label: t("menu.fullScreen") },
      ],
    },
    {
      role: "window",
      label: t("menu.window"),
      submenu: [
        { role: "minimize", label: t("menu.minimize") },
        { role: "zoom", label: t("menu.zoom") },
      ],
    },
    {
      role: "help",
      label: t("menu.help"),
      submenu: [item(t("menu.shortcuts"), "shortcuts"), { label: t("menu.log"), click: () => actions.showLog() }],
    },
  ];
  return mac ? [appMenu(settings, quit), ...menus] : withAccessKeys(menus);
}

/**
 * Each menu with a letter of its own that opens it together with Alt; where its name has none left, one stands behind it,
 * as is usual in Chinese and Japanese.
 */
function withAccessKeys(menus: readonly MenuItemConstructorOptions[]): MenuItemConstructorOptions[] {
  const taken = new Set<string>();
  return menus.map(({ label = "", ...menu }, index) => {
    const free = (letter: string) => /^[a-z]$/.test(letter) && !taken.has(letter);
    const at = [...label.toLowerCase()].findIndex(free);
    const letter = label[at] ?? [..."fesvwh"][index] ?? "";
    taken.add(letter.toLowerCase());
    const named = at < 0 ? `${label}(&${letter.toUpperCase()})` : `${label.slice(0, at)}&${label.slice(at)}`;
    return { ...menu, label: named };
  });
}

/** What a Mac has in the menu that bears the app's name. */
function appMenu(settings: MenuItemConstructorOptions, quit: MenuItemConstructorOptions): MenuItemConstructorOptions {
  return {
    label: "Precis",
    submenu: [
      { role: "about", label: t("menu.about") },
      { type: "separator" },
      settings,
      { type: "separator" },
      { role: "services", label: t("menu.services") },
      { type: "separator" },
      { role: "hide", label: t("menu.hide") },
      { role: "hideOthers", label: t("menu.hideOthers") },
      { role: "unhide", label: t("menu.showAll") },
      { type: "separator" },
      quit,
    ],
  };
}

export function installMenu(actions: MenuActions): void {
  Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate(actions, process.platform)));
}
