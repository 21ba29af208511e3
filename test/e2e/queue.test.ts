/** The queue in the real window, with the real worker and the default model: two short documents. */
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { drop, type Launched, launch, projectDir, resize, screenshot } from "./support.js";

let folder: string;
let profile: string;
let launched: Launched;

const tides = "The gauge at the lighthouse shows spring tides of 4.1 m. The harbour office reads it twice a day. ";
const wall = "The quay wall at berth 4 moves by up to 6 mm with each tide. Divers found no crack in its footing. ";

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "precis-e2e-queue-"));
  profile = path.join(folder, "profile");
  await writeFile(path.join(folder, "tides.md"), `# Tide tables\n\n${tides.repeat(16)}\n`);
  await writeFile(path.join(folder, "wall.md"), `# Quay wall\n\n${wall.repeat(16)}\n`);
  launched = await launch(projectDir, [], { profile });
});
afterAll(async () => {
  await launched.close();
  await rm(folder, { recursive: true, force: true });
});

const queue = () => launched.page.getByRole("region", { name: /^Queue: / });
const names = () => queue().locator(".entry-title").allInnerTexts();
const row = (name: string) => queue().getByRole("button", { name: new RegExp(`^${name}`) });

/** What the tests need to know of the system's side, noted instead of shown. */
async function noteSystem(): Promise<void> {
  await launched.app.evaluate(({ BrowserWindow, dialog, Notification }) => {
    const noted: string[] = [];
    Object.assign(globalThis, { noted });
    BrowserWindow.getFocusedWindow = () => null;
    Notification.isSupported = () => true;
    Notification.prototype.show = function () {
      noted.push(`${this.title}: ${this.body}`);
    };
    dialog.showMessageBox = (async (_window: unknown, options: { message: string }) => {
      noted.push(options.message);
      return { response: 1, checkboxChecked: false };
    }) as unknown as typeof dialog.showMessageBox;
  });
}
const noted = () => launched.app.evaluate(() => (globalThis as unknown as { noted: string[] }).noted);
const closeWindow = () => launched.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());
const windowShown = () =>
  launched.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.isVisible() === true);

it("holds several documents until they are started, in an order that mouse and keyboard change", async () => {
  const { page } = launched;
  await drop(page, [path.join(folder, "tides.md"), path.join(folder, "wall.md")]);
  await row("Tide tables").waitFor({ timeout: 60_000 });
  await row("Quay wall").waitFor();
  expect(await names()).toEqual(["Tide tables", "Quay wall"]);
  await row("Quay wall").dragTo(row("Tide tables"), { targetPosition: { x: 20, y: 2 } });
  await expect.poll(names).toEqual(["Quay wall", "Tide tables"]);
  await row("Quay wall").focus();
  await page.keyboard.press("Alt+ArrowDown");
  await expect.poll(names).toEqual(["Tide tables", "Quay wall"]);
  expect(await row("Quay wall").evaluate((element) => element === document.activeElement)).toBe(true);
  await screenshot(page, "queue-held");
  await page.emulateMedia({ colorScheme: "dark" });
  await screenshot(page, "queue-held-dark");
  await resize(launched, 700, 560);
  await screenshot(page, "queue-small-dark");
  await page.emulateMedia({ colorScheme: "light" });
  await resize(launched, 1180, 800);
});

it("reads them one by one, keeps the system awake, and says what closing the window would do without a tray", async () => {
  const { page } = launched;
  await noteSystem();
  await queue().getByRole("button", { name: "Start all" }).click();
  await row("Tide tables")
    .getByText(/Reading|Writing/)
    .waitFor({ timeout: 60_000 });
  await row("Quay wall").getByText("Waiting for its turn").waitFor();
  await screenshot(page, "queue-running");
  const awake = await launched.app.evaluate(({ powerSaveBlocker }) =>
    Array.from({ length: 20 }, (_, id) => id).some((id) => powerSaveBlocker.isStarted(id)),
  );
  expect(awake).toBe(true);
  await closeWindow();
  await expect.poll(noted).toEqual(["If the window closes, Precis ends."]);
  expect(await windowShown()).toBe(true);
});

it("is there again after the app was killed, and begins nothing by itself", async () => {
  await launched.kill();
  // A desktop with a tray, as far as Precis can tell.
  const bin = path.join(folder, "dbus-send");
  await writeFile(bin, "#!/bin/sh\necho '   variant       boolean true'\n");
  await chmod(bin, 0o755);
  launched = await launch(projectDir, [], { profile, env: { PATH: `${folder}:${process.env.PATH}` } });
  await row("Tide tables").getByText("Was being read when Precis ended").waitFor({ timeout: 20_000 });
  expect(await names()).toEqual(["Tide tables", "Quay wall"]);
  await wait(500);
  await row("Quay wall").getByText("Paused").waitFor();
  await screenshot(launched.page, "queue-offered");
});

it("goes on while the window is closed, and says when each is done", async () => {
  await noteSystem();
  await queue().getByRole("button", { name: "Resume", exact: true }).click();
  await row("Tide tables")
    .getByText(/Reading|Writing|Getting|Opening|Loading/)
    .waitFor({ timeout: 60_000 });
  await closeWindow();
  await expect.poll(windowShown).toBe(false);
  await expect
    .poll(noted, { timeout: 120_000 })
    .toEqual(["A summary is finished: tides.md", "A summary is finished: wall.md"]);
  await launched.app.evaluate(({ app }) => app.emit("activate"));
  await expect.poll(windowShown).toBe(true);
  await expect
    .poll(() =>
      earlier()
        .getByText(/summarised/)
        .count(),
    )
    .toBe(2);
  expect(await queue().count()).toBe(0);
  await screenshot(launched.page, "queue-done");
});

const earlier = () => launched.page.getByRole("region", { name: /^(Earlier|Tagged)/ });
const dialog = (name: string | RegExp) => launched.page.getByRole("dialog", { name });

it("tags documents, and shows only those with a tag", async () => {
  const { page } = launched;
  await earlier().getByRole("button", { name: "Tags of Quay wall" }).click({ force: true });
  await dialog(/Tags of/)
    .getByRole("combobox", { name: "A new tag" })
    .fill("berth 4");
  await page.keyboard.press("Enter");
  await dialog(/Tags of/)
    .getByRole("button", { name: "Remove the tag berth 4" })
    .waitFor();
  await screenshot(page, "library-tags");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "berth 4 1", exact: true }).click();
  await earlier()
    .getByText(/summarised · berth 4/)
    .waitFor();
  expect(await earlier().getByRole("listitem").count()).toBe(1);
  await screenshot(page, "library-tagged");
  await page.getByRole("button", { name: "berth 4 1", exact: true }).click();
  await expect.poll(() => earlier().getByRole("listitem").count()).toBe(2);
});

it("exports several summaries into a folder", async () => {
  const { page } = launched;
  const out = path.join(folder, "out");
  await mkdir(out);
  await launched.app.evaluate(({ dialog: system }, chosen) => {
    system.showOpenDialog = async () => ({ canceled: false, filePaths: [chosen] });
  }, out);
  await earlier().getByRole("button", { name: "Export…" }).click();
  const sheet = dialog("Export several summaries");
  await sheet.getByLabel("Format").selectOption("Markdown");
  await screenshot(page, "export-several");
  await sheet.getByRole("button", { name: "Export 2…" }).click();
  await sheet.getByText(`2 summaries saved in ${out}`).waitFor();
  expect((await readdir(out)).sort()).toEqual(["tides summary.md", "wall summary.md"]);
  await sheet.getByRole("button", { name: "Close" }).click();
});

it("shows what is kept on the computer, and clears what can be made again", async () => {
  const { page } = launched;
  await earlier().getByRole("button", { name: "Storage…" }).click();
  const clear = dialog("Storage").getByRole("button", { name: "Clear: Kept for questions" });
  await expect.poll(() => clear.isEnabled()).toBe(true);
  await screenshot(page, "storage");
  await clear.click();
  await expect.poll(() => clear.isDisabled()).toBe(true);
  await page.keyboard.press("Escape");
});

it("shows two runs of a document side by side, and which words differ", async () => {
  const { page } = launched;
  await earlier()
    .getByRole("button", { name: /^Tide tables/ })
    .click();
  const slider = page.getByRole("slider", { name: "Memory for reading" });
  // until the document is open it takes no key
  await expect.poll(() => slider.isEnabled(), { timeout: 60_000 }).toBe(true);
  await slider.press("End");
  await expect
    .poll(() => page.getByRole("button", { name: /^Start again/ }).isEnabled(), { timeout: 60_000 })
    .toBe(true);
  await page.getByRole("button", { name: "Start again" }).click();
  await page.getByText("The library has 2 summaries of it.").waitFor({ timeout: 120_000 });
  await page.getByRole("button", { name: "Compare two…" }).click();
  const sheet = dialog("Two summaries");
  await sheet.getByRole("row", { name: /^Memory 25 % .* 100 % / }).waitFor();
  expect(await sheet.getByRole("row", { name: /^Text/ }).innerText()).not.toBe("");
  await screenshot(page, "compare");
  await page.emulateMedia({ colorScheme: "dark" });
  await screenshot(page, "compare-dark");
  expect(launched.errors, launched.log()).toEqual([]);
});
