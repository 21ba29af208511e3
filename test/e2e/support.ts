/** Launching the real window under Playwright, and what the tests do to it again and again. */
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { _electron, type ElectronApplication, type Locator, type Page } from "playwright";
import { findElectron } from "../../scripts/setup/electron.mjs";
import { ownCacheHome } from "../support/precis.js";

export const projectDir = fileURLToPath(new URL("../..", import.meta.url));
export const samplePdf = path.join(projectDir, "assets", "samples", "harbour-report.pdf");

const screenshotFolder = path.join(projectDir, "test-results");

export interface Launched {
  readonly app: ElectronApplication;
  readonly page: Page;
  /** Everything the page logged as an error or threw; tests expect it to be empty. */
  readonly errors: string[];
  /** What the main process wrote, for a failing test's message. */
  readonly log: () => string;
  close(): Promise<void>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
}

export interface LaunchOptions {
  /** A profile that outlives the app; without one it has a profile of its own. */
  readonly profile?: string;
  /** Set for the app beside what is set here. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the app of `root` (a folder with package.json and dist/). */
export async function launch(
  root: string,
  args: readonly string[] = [],
  { profile: kept, env }: LaunchOptions = {},
): Promise<Launched> {
  const runtime = findElectron();
  if (!runtime) throw new Error("There is no Electron runtime. Run: node scripts/setup.mjs --for test");
  if (!existsSync(path.join(root, "dist", "electron", "main.mjs"))) {
    throw new Error("dist/ is missing. Run: node scripts/build.mjs");
  }
  const profile = kept ?? (await mkdtemp(path.join(tmpdir(), "precis-profile-")));
  const cacheHome = ownCacheHome();
  // Chromium refuses to sandbox a process of root's; for every other user the sandbox stays on.
  const sandbox = process.platform === "linux" && process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  // Tests read the window in English, whatever the system speaks.
  const app = await _electron.launch({
    executablePath: runtime.executable,
    args: [...sandbox, "--lang=en-US", `--user-data-dir=${profile}`, root, ...args],
    env: { ...(process.env as Record<string, string>), XDG_CACHE_HOME: cacheHome, ...env },
    timeout: 60_000,
  });
  askAgain(app);
  let written = "";
  for (const stream of [app.process().stdout, app.process().stderr]) stream?.on("data", (data) => (written += data));
  const page = await app.firstWindow({ timeout: 20_000 }).catch((error) => {
    throw new Error(`No window came up. The main process wrote:\n${written}`, { cause: error });
  });
  const cleanUp = async () => {
    if (profile !== kept) await rm(profile, { recursive: true, force: true });
    await rm(cacheHome, { recursive: true, force: true });
  };
  const errors: string[] = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(error.message));
  // what is done to a window before it listens is lost
  await page.locator("#root > *").first().waitFor({ state: "attached" });
  const version = await app.evaluate(() => process.versions.electron);
  console.log(`Electron ${version}, ${runtime.official ? "the official release" : "a substitute"}`);
  return {
    app,
    page,
    errors,
    log: () => written,
    close: async () => {
      await app.close();
      await cleanUp();
    },
    kill: async () => {
      const ended = new Promise((resolve) => app.process().once("exit", resolve));
      app.process().kill("SIGKILL");
      await ended;
      await cleanUp();
    },
  };
}

/**
 * V8 may collect what the main process answers before Playwright has it, the more often the busier the machine is
 * (microsoft/playwright#33737): then it is asked again, and so must bear to be done twice.
 */
function askAgain(app: ElectronApplication): void {
  const evaluate = app.evaluate.bind(app) as (...input: unknown[]) => Promise<unknown>;
  const patient = async (...input: unknown[]) => {
    for (let tries = 1; ; tries++) {
      try {
        return await evaluate(...input);
      } catch (thrown) {
        if (tries === 5 || !/garbage collected/.test(String(thrown))) throw thrown;
      }
    }
  };
  app.evaluate = patient as ElectronApplication["evaluate"];
}

/** The built app with the worker of fake-worker.ts, in a folder of its own. */
export async function scriptedApp(): Promise<string> {
  const { build } = await import("esbuild");
  const root = await mkdtemp(path.join(tmpdir(), "precis-app-"));
  await cp(path.join(projectDir, "dist", "electron"), path.join(root, "dist", "electron"), { recursive: true });
  await cp(path.join(projectDir, "dist", "renderer"), path.join(root, "dist", "renderer"), { recursive: true });
  await cp(path.join(projectDir, "assets"), path.join(root, "assets"), { recursive: true });
  await cp(path.join(projectDir, "package.json"), path.join(root, "package.json"));
  await symlink(path.join(projectDir, "node_modules"), path.join(root, "node_modules"), "dir");
  await build({
    entryPoints: [path.join(projectDir, "test", "e2e", "fake-worker.ts")],
    outfile: path.join(root, "dist", "worker", "main.mjs"),
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    // prebuilt, and found beside its own files
    external: ["@photostructure/sqlite"],
  });
  return root;
}

/** Writes a file whose name tells the scripted worker what to do. */
export async function namedFile(folder: string, name: string): Promise<string> {
  const target = path.join(folder, name);
  await writeFile(target, "%PDF-1.7");
  return target;
}

/** The bar at the bottom. */
export const memoryBar = (page: Page): Locator => page.getByRole("region", { name: "Memory for reading" });

export const startButton = (page: Page): Locator => memoryBar(page).getByRole("button", { name: /^Start/ });

/** The first entry of the lists at the left with this name. */
export const listEntry = (page: Page, name: RegExp): Locator =>
  page.getByRole("navigation").getByRole("button", { name }).first();

/** Clicks an item of the menu, as its accelerator does. */
export async function chooseMenu(app: ElectronApplication, label: string): Promise<void> {
  await app.evaluate(({ Menu }, wanted) => {
    const items = Menu.getApplicationMenu()?.items.flatMap(({ submenu }) => submenu?.items ?? []);
    items?.find((item) => item.label === wanted)?.click();
  }, label);
}

/**
 * Drops files on the window as the system does: real files of the disk, so that the preload can name their paths. They
 * come from a file input, because a page cannot make such files by itself.
 */
export async function drop(page: Page, files: readonly string[]): Promise<void> {
  const input = await page.evaluateHandle(() => {
    const element = document.createElement("input");
    element.type = "file";
    element.multiple = true;
    return element;
  });
  await input.setInputFiles([...files]);
  await input.evaluate((element) => {
    const transfer = new DataTransfer();
    for (const file of element.files ?? []) transfer.items.add(file);
    for (const type of ["dragover", "drop"]) {
      document.body.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }
  });
}

/** What the clipboard holds after an element's text was selected and copied. */
export async function copiedText({ app, page }: Launched, selector: string): Promise<string> {
  await page.evaluate((name) => getSelection()?.selectAllChildren(document.querySelector(name) as Node), selector);
  const text = await app.evaluate(async ({ BrowserWindow, clipboard }) => {
    await clipboard.clear();
    BrowserWindow.getAllWindows()[0]?.webContents.copy();
    for (let tries = 0; tries < 50 && (await clipboard.readText()) === ""; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return clipboard.readText();
  });
  await page.evaluate(() => getSelection()?.removeAllRanges());
  return text;
}

/** Writes test-results/NAME.png. */
export async function screenshot(page: Page, name: string): Promise<void> {
  await mkdir(screenshotFolder, { recursive: true });
  await page.screenshot({ path: path.join(screenshotFolder, `${name}.png`) });
}

/** Answers the next save dialogs with `target`, as a user would. */
export async function answerSaveDialog(app: ElectronApplication, target: string): Promise<void> {
  await app.evaluate(({ dialog }, filePath) => {
    dialog.showSaveDialog = async () => ({ canceled: false, filePath });
  }, target);
}

/** Gives the page another size, and waits until it has it. */
export async function resize({ app, page }: Launched, width: number, height: number): Promise<void> {
  await app.evaluate(
    ({ BrowserWindow }, size) => BrowserWindow.getAllWindows()[0]?.setContentSize(size.width, size.height),
    { width, height },
  );
  for (let tries = 0; (await page.evaluate(() => innerWidth)) !== width; tries += 1) {
    if (tries === 100) throw new Error(`The window did not become ${width} pixels wide.`);
    await wait(50);
  }
}
