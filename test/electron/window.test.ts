import { expect, it, vi } from "vitest";

vi.mock("electron", () => ({ app: {}, BrowserWindow: class {}, nativeTheme: {}, screen: {} }));
const { restoreState } = await import("../../electron/window.js");

const screens = [{ x: 0, y: 0, width: 1920, height: 1080 }];
const saved = { x: 100, y: 50, width: 900, height: 700, maximized: false };

it("restores a place that a screen still shows", () => {
  expect(restoreState(saved, screens)).toEqual(saved);
});

it("forgets the place, not the size, when its screen is gone", () => {
  expect(restoreState({ ...saved, x: 2500 }, screens)).toEqual({ width: 900, height: 700, maximized: false });
});

it.each([undefined, "spoilt", { width: 10, height: 10 }])("starts anew from %j", (unusable) => {
  expect(restoreState(unusable, screens)).toEqual({ width: 1180, height: 800, maximized: false });
});
