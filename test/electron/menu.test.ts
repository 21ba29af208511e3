import type { MenuItemConstructorOptions } from "electron";
import { afterEach, describe, expect, it, vi } from "vitest";
import { interfaceLanguages } from "../../electron/first-settings.js";
import { speak } from "../../electron/language.js";

vi.mock("electron", () => ({ Menu: {} }));
const { menuTemplate } = await import("../../electron/menu.js");

afterEach(() => speak("en"));

const send = vi.fn();
const showLog = vi.fn();
const menus = (platform: NodeJS.Platform) =>
  menuTemplate({ open: () => {}, quit: () => {}, zoom: () => {}, showLog, send }, platform);
const items = ({ submenu }: MenuItemConstructorOptions = {}) => submenu as MenuItemConstructorOptions[];
const labels = (menu: MenuItemConstructorOptions | undefined) =>
  items(menu)
    .filter(({ type }) => type !== "separator")
    .map(({ label }) => label);

describe("on a Mac", () => {
  it("the app's own menu has what every app has there, and the settings", () => {
    const [app, file] = menus("darwin");
    expect(labels(app)).toEqual([
      "About Precis",
      "Settings…",
      "Services",
      "Hide Precis",
      "Hide Others",
      "Show All",
      "Quit Precis",
    ]);
    expect(labels(file)).not.toContain("Settings…");
    expect(labels(file).at(-1)).toBe("Close Window");
  });
});

describe("elsewhere", () => {
  it.each(interfaceLanguages)("each menu has a letter of its own to open it with, in %s", (language) => {
    speak(language);
    const keys = menus("linux").map(({ label }) => /&([a-z])/i.exec(label ?? "")?.[1]?.toLowerCase());
    expect(keys).not.toContain(undefined);
    expect(new Set(keys).size).toBe(keys.length);
    expect(menus("darwin").map(({ label }) => label)).not.toContainEqual(expect.stringContaining("&"));
  });

  it("settings and the end are in the first menu", () => {
    expect(labels(menus("linux")[0])).toEqual(expect.arrayContaining(["Settings…", "Quit"]));
  });
});

it("sends to the window what acts there", () => {
  const settings = items(menus("darwin")[0]).find(({ label }) => label === "Settings…");
  (settings!.click as () => void)();
  expect(send).toHaveBeenLastCalledWith("settings");
});

it("leads to the log, also where the window does not answer", () => {
  const item = items(menus("linux").at(-1)).find(({ label }) => label === "Show Log");
  (item!.click as () => void)();
  expect(showLog).toHaveBeenCalledOnce();
});

it("speaks the window's language, also where Electron has words of its own", () => {
  speak("de");
  const all = menus("darwin").flatMap(items);
  expect(all.filter(({ role, label }) => role !== undefined && label === undefined)).toEqual([]);
  expect(labels(menus("darwin")[0])).toContain("Andere ausblenden");
});
