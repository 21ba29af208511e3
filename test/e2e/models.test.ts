/** Models, settings and the command palette in the real window, with the real worker and a model hub on this machine. */
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Page } from "playwright";
import { afterAll, beforeAll, expect, it } from "vitest";
import { catalogueModel } from "../../core/models/catalogue.js";
import { type HubServer, hubServer, modelBytes } from "../models/hub-server.js";
import { writeRandomModel } from "../support/gguf.js";
import { linkCache, ownCacheHome } from "../support/precis.js";
import { chooseMenu, drop, type Launched, launch, projectDir, resize, screenshot } from "./support.js";

const qwen = catalogueModel("qwen2.5-1.5b-instruct")!;

let hub: HubServer;
let launched: Launched;
let page: Page;
let folder: string;

beforeAll(async () => {
  const { repository } = qwen.source as { repository: string };
  hub = await hubServer(repository, qwen.file, modelBytes(8_000_000));
  folder = await mkdtemp(path.join(tmpdir(), "precis-e2e-models-"));
  launched = await launch(projectDir);
  page = launched.page;
  await page.getByText(/Reads about [\d,]+ pages in one go/).waitFor({ timeout: 60_000 });
});
afterAll(async () => {
  await launched.close();
  await hub.close();
  await rm(folder, { recursive: true, force: true });
});

const settings = () => page.getByRole("dialog", { name: "Settings" });
const models = () => page.getByRole("dialog", { name: "Models" });
const entry = (name: string) => models().getByRole("listitem").filter({ hasText: name });

const menu = (label: string) => chooseMenu(launched.app, label);

/** What the settings file holds, once it holds that. */
async function saved(expected: Readonly<Record<string, unknown>>): Promise<void> {
  const userData = await launched.app.evaluate(({ app }) => app.getPath("userData"));
  const file = path.join(userData, "settings.json");
  await expect
    .poll(async () => JSON.parse(await readFile(file, "utf8").catch(() => "{}")), { timeout: 5_000 })
    .toMatchObject(expected);
}

it("finds settings by a word, refuses what is no address, and keeps what is set", async () => {
  await menu("Settings…");
  await screenshot(page, "settings");
  await settings().getByRole("searchbox", { name: "Search settings" }).fill("hub");
  const mirror = settings().getByRole("textbox", { name: "Mirror" });
  await mirror.fill("not an address");
  await mirror.press("Enter");
  await settings().getByRole("alert").waitFor();
  await mirror.fill(hub.url);
  await mirror.press("Enter");
  await settings().getByRole("alert").waitFor({ state: "hidden" });
  await settings().getByRole("searchbox", { name: "Search settings" }).fill("");
  await settings().getByLabel("Light or dark").selectOption("Dark");
  await settings().getByLabel("High contrast").selectOption("Always");
  await settings().getByLabel("Zoom").selectOption("110 %");
  await saved({ mirror: hub.url, theme: "dark", contrast: "more", zoom: 1.1 });
  const shown = await launched.app.evaluate(({ BrowserWindow, nativeTheme }) => [
    nativeTheme.themeSource,
    BrowserWindow.getAllWindows()[0]?.webContents.getZoomFactor(),
  ]);
  expect(shown).toEqual(["dark", 1.1]);
  expect(await page.locator("html").getAttribute("data-contrast")).toBe("more");
  await page.emulateMedia({ colorScheme: "dark" });
  await screenshot(page, "settings-contrast-dark");
  await page.emulateMedia({ colorScheme: "light" });
  await screenshot(page, "settings-contrast");
  await settings().getByLabel("High contrast").selectOption("Same as the system");
  const moves = () =>
    settings()
      .getByLabel("Zoom")
      .evaluate((field) => getComputedStyle(field).transitionDuration !== "0s");
  expect(await moves()).toBe(true);
  await settings().getByLabel("Less motion").selectOption("Always");
  expect(await moves()).toBe(false);
  await settings().getByLabel("Less motion").selectOption("Same as the system");
  await menu("Actual Size");
  await expect.poll(() => settings().getByLabel("Zoom").inputValue()).toBe("2");
  await page.keyboard.press("Escape");
  await settings().waitFor({ state: "hidden" });
});

it("carries out a command by a few letters of its name", async () => {
  await menu("All Commands…");
  const palette = page.getByRole("dialog", { name: "Commands" });
  await screenshot(page, "palette");
  await page.keyboard.type("light or dark system");
  await page.keyboard.press("Enter");
  await palette.waitFor({ state: "hidden" });
  await saved({ theme: "system" });
  await menu("All Commands…");
  await page.keyboard.type("models");
  await page.keyboard.press("Enter");
  await models().waitFor();
});

it("downloads a model, paused and resumed, checks it, and deletes it", async () => {
  await entry("SmolLM2").getByText("In use").waitFor();
  await screenshot(page, "models");
  hub.pauseMs = 60;
  await models().getByRole("button", { name: "Download Qwen2.5 1.5B Instruct" }).click();
  await entry("Qwen2.5")
    .getByText(/ of 7\.6 MiB/)
    .waitFor();
  await screenshot(page, "models-downloading");
  await models().getByRole("button", { name: "Pause the download of Qwen2.5 1.5B Instruct" }).click();
  await entry("Qwen2.5")
    .getByText(/Paused at \d+ %/)
    .waitFor();
  hub.pauseMs = 0;
  await models().getByRole("button", { name: "Go on downloading Qwen2.5 1.5B Instruct" }).click();
  await models().getByRole("button", { name: "Use Qwen2.5 1.5B Instruct" }).waitFor();
  expect(hub.asked.some(({ range }) => range?.startsWith("bytes="))).toBe(true);
  await models().getByRole("button", { name: "Verify Qwen2.5 1.5B Instruct" }).click();
  await entry("Qwen2.5").getByText("Every byte is right.").waitFor();
  await page.emulateMedia({ colorScheme: "dark" });
  await screenshot(page, "models-dark");
  await models().getByRole("button", { name: "Delete Qwen2.5 1.5B Instruct" }).click();
  await resize(launched, 640, 480);
  await screenshot(page, "models-small-dark");
  await entry("Qwen2.5").getByRole("button", { name: "Delete", exact: true }).click();
  await models()
    .getByText(/free again/)
    .waitFor();
  await models().getByRole("button", { name: "Download Qwen2.5 1.5B Instruct" }).waitFor();
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
  await resize(launched, 1180, 800);
  await page.emulateMedia({ colorScheme: "light" });
});

it("says why a download cannot be made", async () => {
  hub.failing = { text: "/api/", status: 404 };
  await models().getByRole("button", { name: "Download Qwen2.5 1.5B Instruct" }).click();
  await entry("Qwen2.5")
    .getByRole("alert")
    .getByText(/does not have this model/)
    .waitFor();
});

it("takes a dropped model, reads with it, and does not delete it meanwhile", async () => {
  const tiny = path.join(folder, "tiny.gguf");
  const shape = { layers: 2, embedding: 64, feedForward: 128, queryHeads: 4, kvHeads: 2, headSize: 32 } as const;
  writeRandomModel(tiny, { architecture: "llama", ...shape, context: 2048, weights: "f16", seed: 1 });
  await drop(page, [tiny]);
  await models().getByText("tiny is in the list.").waitFor({ timeout: 20_000 });
  await models().getByRole("button", { name: "Use random llama" }).click();
  await entry("random llama").getByText("In use").waitFor();
  await page
    .getByText(/^Reads about [\d,]+ pages? in one go .* The model is tiny\.$/)
    .waitFor({ timeout: 20_000, state: "attached" });
  expect(await models().getByRole("button", { name: "Take out random llama" }).count()).toBe(0);
  await screenshot(page, "models-own");
  await models().getByRole("button", { name: "Use SmolLM2 135M Instruct" }).click();
  await page
    .getByText(/^Reads about .* The model is SmolLM2 135M Instruct\.$/)
    .waitFor({ timeout: 60_000, state: "attached" });
  await models().getByRole("button", { name: "Take out random llama" }).click();
  await entry("random llama").getByRole("button", { name: "Take out", exact: true }).click();
  await models()
    .getByText(/no longer in the list/)
    .waitFor();

  await truncate(tiny, 60_000);
  await drop(page, [tiny]);
  await models()
    .getByRole("alert")
    .getByText(/not whole/)
    .waitFor({ timeout: 20_000 });
});

it("says at the first start what to do while there is no model, and goes on when there is one", async () => {
  const cache = ownCacheHome();
  const models = path.join(cache, "precis", "models");
  await rm(models, { recursive: true });
  const first = await launch(projectDir, [], { env: { XDG_CACHE_HOME: cache } });
  const alert = first.page.getByRole("alert");
  await alert.getByText("The model could not be loaded").waitFor({ timeout: 60_000 });
  await alert.getByText(/SmolLM2 135M Instruct is not on this machine/).waitFor();
  await screenshot(first.page, "models-none");
  await alert.getByRole("button", { name: "Models…" }).click();
  const list = first.page.getByRole("dialog", { name: "Models" });
  await list.getByRole("button", { name: /^Download Qwen2\.5/ }).waitFor();
  await first.page.keyboard.press("Escape");
  linkCache(cache);
  await alert.getByRole("button", { name: "Try again" }).click();
  await first.page.getByText(/Reads about \d+ pages in one go on this computer/).waitFor({ timeout: 60_000 });
  expect(first.errors, first.log()).toEqual([]);
  await first.close();
  await rm(cache, { recursive: true, force: true });
});

it("goes on with a download after a restart", async () => {
  const cache = ownCacheHome();
  const profile = path.join(folder, "restarted");
  const start = () => launch(projectDir, [], { profile, env: { XDG_CACHE_HOME: cache } });
  const open = async ({ app, page: window }: Launched) => {
    await window.getByText(/Reads about [\d,]+ pages in one go/).waitFor({ timeout: 60_000 });
    await chooseMenu(app, "Models…");
    return window.getByRole("dialog", { name: "Models" });
  };
  await mkdir(profile);
  await writeFile(path.join(profile, "settings.json"), JSON.stringify({ mirror: hub.url }));
  hub.failing = undefined;
  hub.pauseMs = 60;
  const first = await start();
  let list = await open(first);
  await list.getByRole("button", { name: "Download Qwen2.5 1.5B Instruct" }).click();
  await list.getByText(/[1-9][\d.]* MiB of 7\.6 MiB/).waitFor();
  await first.kill();
  hub.pauseMs = 0;
  const second = await start();
  list = await open(second);
  await list.getByText(/^Paused at [1-9]\d* %$/).waitFor();
  await list.getByRole("button", { name: "Go on downloading Qwen2.5 1.5B Instruct" }).click();
  await list.getByRole("button", { name: "Use Qwen2.5 1.5B Instruct" }).waitFor();
  expect(hub.asked.at(-1)?.range).toMatch(/^bytes=[1-9]/);
  expect(second.errors).toEqual([]);
  await second.close();
  await rm(cache, { recursive: true, force: true });
});

it("logged no error all the while", () => {
  expect(launched.errors, launched.log()).toEqual([]);
});
