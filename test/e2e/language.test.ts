/** The window in another language: at once, after a restart, and with room for it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { interfaceLanguages } from "../../electron/first-settings.js";
import { drop, type Launched, launch, namedFile, resize, screenshot, scriptedApp } from "./support.js";

let root: string;
let profile: string;
let document: string;
let launched: Launched | undefined;

beforeAll(async () => {
  root = await scriptedApp();
  profile = await mkdtemp(path.join(tmpdir(), "precis-language-"));
  document = path.join(profile, "large-inquiry.pdf");
  await writeFile(document, "%PDF-1.7");
});
afterAll(async () => {
  await launched?.close();
  await rm(root, { recursive: true, force: true });
  await rm(profile, { recursive: true, force: true });
});

/** The application menu's titles. */
const menuTitles = ({ app }: Launched) =>
  app.evaluate(({ Menu }) => Menu.getApplicationMenu()?.items.map(({ label }) => label.replace("&", "")) ?? []);

const openSettings = ({ app }: Launched) =>
  app.evaluate(({ BrowserWindow }) =>
    BrowserWindow.getAllWindows()[0]?.webContents.send("precis:menu", { item: "settings" }),
  );

/** How far the page, or a dialog over it, is wider than the window shows. */
const overflow = ({ page }: Launched) =>
  page.evaluate(() => {
    const boxes = [globalThis.document.documentElement, ...globalThis.document.querySelectorAll("dialog[open]")];
    return Math.max(...boxes.map((box) => box.scrollWidth - box.clientWidth));
  });

it("speaks another language at once, in the window and in the menu, and after a restart", async () => {
  launched = await launch(root, [], { profile });
  let { page } = launched;
  await drop(page, [document]);
  await page.getByRole("slider", { name: "Memory for reading" }).waitFor();
  await openSettings(launched);
  await page.getByLabel("Language of Precis").focus();
  await page.getByLabel("Language of Precis").selectOption("Deutsch");
  await page.getByRole("heading", { name: "Einstellungen", exact: true }).waitFor();
  const focused = () => page.evaluate(() => globalThis.document.activeElement?.id);
  expect(await focused(), "whoever chose by keyboard goes on where that was").toBe("setting-interface-language");
  expect(await page.locator("html").getAttribute("lang")).toBe("de");
  expect(await page.locator("html").getAttribute("dir")).toBe("ltr");
  await expect.poll(() => menuTitles(launched as Launched)).toContain("Bearbeiten");
  await page.getByRole("button", { name: "Schließen", exact: true }).click();
  await page.getByRole("slider", { name: "Speicher zum Lesen" }).waitFor();
  await page.getByRole("button", { name: /^Starten/ }).waitFor();
  await page.getByText(/^\d+ Seiten · /).waitFor();
  expect(launched.errors, launched.log()).toEqual([]);
  await launched.close();

  launched = await launch(root, [], { profile });
  page = launched.page;
  await page.getByRole("button", { name: /^Dokumente öffnen…/ }).waitFor();
  expect(await page.locator("html").getAttribute("lang")).toBe("de");
  expect(await menuTitles(launched)).toContain("Datei");
});

it("says in it what is wrong with a document and what a run warns of", async () => {
  const { page } = launched as Launched;
  await drop(page, [await namedFile(profile, "damaged-annex.pdf")]);
  const alert = page.getByRole("alert");
  await alert.getByText("„damaged-annex.pdf“ ist ein beschädigtes PDF: der Aufbau ist unlesbar.").waitFor();
  await alert.getByText("Besorgen Sie die Datei noch einmal, oder öffnen Sie sie in einem PDF-Programm").waitFor();
  await drop(page, [await namedFile(profile, "long-scan.pdf")]);
  const warnings = page.getByRole("list", { name: "Warnungen zu diesem Dokument" });
  await warnings.getByText("Gescannt: Der Text wurde erkannt (OCR), Sicherheit 83 % (niedrigste 66 %)").waitFor();
  await warnings.getByText("Kein Text: Seite 3. Davon wurde nichts gelesen.").waitFor();
  const why = "es hat 11.480 Tokens, und das Modell liest höchstens 8.192 auf einmal";
  await page.getByText(`Wird in 2 Teilen gelesen. Grund: ${why}`).waitFor();
  await page.getByRole("button", { name: /^Starten/ }).click();
  await page.getByText(`Teil 1 von 2. In Teilen gelesen, Grund: ${why}`).waitFor();
  const list = page.getByRole("list", { name: "Warnungen zu diesem Lauf" });
  await list.getByText(`In 2 Teilen gelesen. Grund: ${why}`).waitFor({ timeout: 20_000 });
  await screenshot(page, "language-warnings");
});

it("speaks the system's language until one is chosen", async () => {
  const french = await launch(root, ["--lang=fr-FR"]);
  await french.page.getByRole("button", { name: /^Ouvrir des documents…/ }).waitFor();
  expect(await menuTitles(french)).toContain("Fichier");
  await french.close();
});

it("runs from right to left where the words do", async () => {
  const now = await launch(root);
  const { page } = now;
  await drop(page, [document]);
  await page.getByRole("slider").waitFor();
  await resize(now, 1280, 800);
  // No language of the window is written so; its layout does not know that.
  await page.evaluate(() => globalThis.document.documentElement.setAttribute("dir", "rtl"));
  const left = async (selector: string) => (await page.locator(selector).boundingBox())?.x ?? 0;
  expect(await left(".library")).toBeGreaterThan(await left(".document"));
  expect(await left(".document")).toBeGreaterThan(await left(".summary"));
  expect(await left(".memory-figure")).toBeGreaterThan(await left(".start"));
  expect(await overflow(now)).toBe(0);
  await screenshot(page, "language-rtl");
  await now.close();
});

it("has room for every language in a small window", async () => {
  const now = launched as Launched;
  const { page } = now;
  await drop(page, [document]);
  await resize(now, 900, 600);
  await expect.poll(() => page.evaluate(() => innerWidth)).toBe(900);
  for (const tag of interfaceLanguages) {
    await openSettings(now);
    await page.locator("#setting-interface-language").selectOption({ index: interfaceLanguages.indexOf(tag) + 1 });
    await expect.poll(() => page.locator("html").getAttribute("lang")).toBe(tag);
    expect(await overflow(now), `settings in ${tag}`).toBe(0);
    await screenshot(page, `language-settings-${tag}`);
    await page.keyboard.press("Escape");
    await expect.poll(() => page.locator("dialog[open]").count()).toBe(0);
    expect(await overflow(now), `window in ${tag}`).toBe(0);
    await screenshot(page, `language-${tag}`);
  }
  expect(now.errors, now.log()).toEqual([]);
});
