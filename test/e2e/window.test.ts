/** The real window with a scripted worker: states that the real one cannot be brought to at will. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Page } from "playwright";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openDocument } from "../../core/documents/open.js";
import {
  answerSaveDialog,
  chooseMenu,
  copiedText,
  drop,
  type Launched,
  launch,
  listEntry,
  namedFile,
  resize,
  samplePdf,
  screenshot,
  scriptedApp,
  startButton as startButtonOf,
} from "./support.js";

let root: string;
let files: string;
let launched: Launched;
let page: Page;

beforeAll(async () => {
  root = await scriptedApp();
  files = await mkdtemp(path.join(tmpdir(), "precis-files-"));
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
  await rm(files, { recursive: true, force: true });
});
beforeEach(async () => {
  launched = await launch(root);
  page = launched.page;
});
afterEach(async () => {
  await launched.close();
  expect(launched.errors, launched.log()).toEqual([]);
});

const file = (name: string) => namedFile(files, name);
const startButton = () => startButtonOf(page);
const entry = (name: RegExp) => listEntry(page, name);

describe("the window", () => {
  it("has a page without Node, and no way out of it", async () => {
    const found = await page.evaluate(async () => {
      // Through an element, because what Playwright itself evaluates is exempt from the policy.
      const script = document.createElement("script");
      script.textContent = "document.title = 'taken over'";
      document.head.append(script);
      return {
        node:
          typeof (globalThis as { require?: unknown }).require + typeof (globalThis as { process?: unknown }).process,
        title: document.title,
        fetched: await fetch("https://example.org/").then(
          () => "fetched",
          () => "refused",
        ),
        opened: window.open("https://example.org/"),
      };
    });
    expect(found).toEqual({ node: "undefinedundefined", title: "Precis", fetched: "refused", opened: null });
    // The policy says what it refused, as this test wanted; anything else would still be an error.
    const others = launched.errors.splice(0).filter((error) => !/Content Security Policy/.test(error));
    expect(others).toEqual([]);
    await page.evaluate(() => {
      location.href = "https://example.org/";
    });
    expect(page.url()).toBe("precis://window/index.html");
  });

  it("connects to nothing, whichever of its pages asks", async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.end("here");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const outcome = await launched.app.evaluate(async ({ BrowserWindow, net }, address) => {
      // A page without a policy of its own, as a report is laid out for paper.
      const hidden = new BrowserWindow({ show: false });
      await hidden.loadURL(`data:text/html,<img src="${address}/picture"><script src="${address}/script"></script>`);
      const scripted = `fetch("${address}/fetch", { mode: "no-cors" }).then(() => "fetched", () => "refused")`;
      const page = await hidden.webContents.executeJavaScript(scripted);
      hidden.destroy();
      const main = await net.fetch(`${address}/net`).then(
        () => "fetched",
        () => "refused",
      );
      return [page, main];
    }, url);
    server.close();
    expect(outcome).toEqual(["refused", "refused"]);
    expect(asked).toEqual([]);
  });

  it("teaches what to do while it is empty, and opens the sample with one click", async () => {
    await page.getByText(/Reads about \d+ pages in one go on this computer/).waitFor();
    await screenshot(page, "empty");
    await page.getByRole("button", { name: "Try the sample report" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Harbour report" }).waitFor();
    // The button is gone; the keyboard goes on from what it opened.
    expect(await entry(/Harbour report/).evaluate((element) => element === document.activeElement)).toBe(true);
  });

  it("keeps several documents, each with its own state", async () => {
    await drop(page, [samplePdf, await file("scan-of-minutes.pdf"), await file("damaged-annex.pdf")]);
    await entry(/Harbour report/).waitFor();
    await entry(/Scan of minutes/).click();
    await page.getByText("No text on page 3: nothing of it was read.").waitFor();
    await page.keyboard.press("ArrowDown");
    await page.getByRole("alert").getByText("its structure cannot be read").waitFor();
    expect(await startButton().isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Close this document" }).click();
    expect(await page.getByRole("navigation").getByText("damaged-annex").count()).toBe(0);
  });

  it("shows the recognition of scanned pages, cancels it, and says of every page how it was read", async () => {
    await drop(page, [await file("scan-of-minutes.pdf")]);
    await page.getByRole("progressbar", { name: "Recognising scanned pages" }).waitFor();
    await page.getByText(/Recognising scanned page [3-6] of 6\. /).waitFor();
    await screenshot(page, "recognising");
    await page.keyboard.press("Escape");
    await page.getByText("was cancelled").waitFor();
    await page.getByRole("button", { name: "Open it again" }).click();
    await page.getByRole("progressbar", { name: "Recognising scanned pages" }).waitFor();
    await page.getByRole("button", { name: /^Cancel/ }).click();
    await page.getByText("was cancelled").waitFor();
    await page.getByRole("button", { name: "Open it again" }).click();
    const coverage = page.getByRole("region", { name: "What was read" });
    await coverage.getByText("7 of 10 pages read").waitFor();
    await screenshot(page, "coverage-before");
    await startButton().click();
    await page.getByText("Kept after reading").waitFor({ timeout: 20_000 });
    expect(await coverage.count()).toBe(1);
    const words = await coverage.innerText();
    expect(words).toMatch(/Recognised \(OCR\)\s+2 pages: 8–9, confidence 91 % to 94 %/);
    expect(words).toMatch(/Not read\s+1 page: 7, because its picture is unreadable/);
    await coverage.getByText("Each page").click();
    expect(await coverage.locator("tr").allInnerTexts()).toContainEqual(
      expect.stringMatching(/6\s+not read: its picture is damaged/),
    );
    await screenshot(page, "coverage");
  });

  it("reads scanned pages in the languages of a folder's data", async () => {
    const folder = path.join(files, "tessdata");
    await mkdir(folder, { recursive: true });
    for (const code of ["deu", "chi_sim"]) await writeFile(path.join(folder, `${code}.traineddata`), "");
    await drop(page, [samplePdf]);
    await page.getByText("PDF · 10 pages").click();
    await page.getByText(/Scanned pages are taken for English/).waitFor();
    await page.getByRole("button", { name: "Change…" }).click();
    const dialog = page.getByRole("dialog", { name: "Languages of scanned pages" });
    await launched.app.evaluate(({ dialog: system }, chosen) => {
      system.showOpenDialog = async () => ({ canceled: false, filePaths: [chosen] });
    }, folder);
    await dialog.getByRole("button", { name: "Choose folder…" }).click();
    await dialog.getByLabel("German").check();
    await screenshot(page, "scan-languages");
    await dialog.getByRole("button", { name: "Use these" }).click();
    await page.getByText(/Scanned pages are taken for English and German/).waitFor();
  });

  it("says before that a document longer than the model's context is read in parts, and then which one and why", async () => {
    await drop(page, [await file("long-inquiry.pdf")]);
    await page
      .getByText(/Read in 2 parts, because it takes 11,480 tokens.* All parts together take about 6 s/)
      .waitFor();
    await startButton().click();
    await page.getByText(/Part 1 of 2: read in parts because it takes 11,480 tokens/).waitFor();
    await page.getByText(/Part 2 of 2/).waitFor();
    await page.keyboard.press("Escape");
    await page.getByText(/“Start” goes on after the last finished part/).waitFor();
  });

  it("reports a worker that died, leads to the log, starts another and goes on with it", async () => {
    await launched.app.evaluate(({ shell }) => {
      shell.showItemInFolder = (shown) => void Object.assign(globalThis, { shown });
    });
    await drop(page, [await file("dies-while-reading.pdf"), samplePdf]);
    await startButton().click();
    await page
      .getByRole("status")
      .getByText(/It was started again; your documents are being opened again/)
      .waitFor();
    await page
      .getByRole("alert")
      .getByText(/stopped unexpectedly/)
      .waitFor();
    await screenshot(page, "worker-died");
    await page.getByRole("button", { name: "Show the log" }).click();
    const shown = () => launched.app.evaluate(() => (globalThis as { shown?: string }).shown);
    await expect.poll(shown).toMatch(/precis\.log$/);
    expect(await readFile((await shown()) as string, "utf8")).toMatch(/^\d{4}-.* Precis .*stopped unexpectedly/s);
    await entry(/Harbour report/).click();
    await startButton().click();
    await page.getByText("Kept after reading").waitFor({ timeout: 20_000 });
  });

  it("shows what memory ran out for, and the next step", async () => {
    await drop(page, [await file("fails-halfway.pdf")]);
    await startButton().click();
    await page.getByRole("button", { name: "Set the memory to 20.3 %" }).click();
    expect(await page.getByRole("slider").getAttribute("aria-valuetext")).toContain("20.3 % of its notes");
  });

  it("renders Markdown as it arrives, and links lead nowhere", async () => {
    await drop(page, [samplePdf]);
    await expect.poll(() => startButton().isEnabled()).toBe(true);
    await page.getByRole("slider").focus();
    await page.keyboard.press("Enter");
    await page.getByRole("article").getByRole("heading", { name: "What was found" }).waitFor({ timeout: 20_000 });
    expect(await page.getByText("Kept after reading").count()).toBe(0);
    await page.getByText("Kept after reading").waitFor({ timeout: 20_000 });
    expect(await page.getByRole("article").getByText("The appendix").count()).toBe(1);
    expect(await page.getByRole("article").locator("a").count()).toBe(0);
  });

  it("exports a summary in every format, by mouse and by keyboard, and copies it as rich text", async () => {
    await drop(page, [await file("scan-of-minutes.pdf")]);
    await expect.poll(() => startButton().isEnabled(), { timeout: 10_000 }).toBe(true);
    await startButton().click();
    await page.getByText("Kept after reading").waitFor({ timeout: 20_000 });
    const out = path.join(files, "exports");
    await mkdir(out, { recursive: true });
    const menu = page.getByRole("menu", { name: "Export the summary" });
    for (const [format, label] of [
      ["pdf", "PDF…"],
      ["docx", "Word document…"],
      ["html", "Web page…"],
      ["json", "Data (JSON)…"],
    ] as const) {
      const target = path.join(out, `minutes.${format}`);
      await answerSaveDialog(launched.app, target);
      await page.getByRole("button", { name: "Export" }).click();
      if (format === "pdf") await screenshot(page, "export-menu");
      await menu.getByRole("menuitem", { name: label }).click();
      await page.getByText(`Saved as ${target}`).waitFor();
    }
    const { pages } = await openDocument(path.join(out, "minutes.pdf"));
    const printed = pages.map(({ text }) => text).join("\n");
    for (const words of ["settled by 41 cm", "recognised, confidence 94 %", "KV cache at its peak"]) {
      expect(printed.replace(/\s+/g, " ")).toContain(words);
    }
    expect(await readFile(path.join(out, "minutes.html"), "utf8")).toContain("not read: its picture is damaged");
    expect((await openDocument(path.join(out, "minutes.docx"))).pages.length).toBeGreaterThan(1);

    const target = path.join(out, "minutes.md");
    await answerSaveDialog(launched.app, target);
    await page.getByRole("button", { name: "Export" }).focus();
    for (const key of ["Enter", "ArrowDown", "ArrowDown", "ArrowDown", "Enter"]) await page.keyboard.press(key);
    await page.getByText(`Saved as ${target}`).waitFor();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Escape");
    await menu.waitFor({ state: "hidden" });

    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByText("Copied").waitFor();
    const html = await launched.app.evaluate(({ clipboard }) =>
      // Electron 33's; the newest release reads all forms by another call.
      "readHTML" in clipboard ? (clipboard as { readHTML(): string }).readHTML() : "",
    );
    expect(html).toMatch(/<strong[^>]*>outer breakwater<\/strong>/);
  });

  it("prints a summary, and says why that failed", async () => {
    // The system's print dialog and printer, noted instead of shown.
    await launched.app.evaluate(({ app }) => {
      const reasons = ["", "no printer is set up"];
      app.on("web-contents-created", (_event, contents) => {
        contents.print = (_options, done) => {
          const reason = reasons.shift() ?? "";
          done?.(reason === "", reason);
        };
      });
    });
    await drop(page, [samplePdf]);
    await startButton().click();
    await page.getByText("Kept after reading").waitFor({ timeout: 20_000 });
    await page.getByRole("button", { name: "Export" }).click();
    await page.getByRole("menuitem", { name: "Print…" }).click();
    await page.getByText("Sent to the printer").waitFor();
    await chooseMenu(launched.app, "Print Summary…");
    await page.getByText(/could not be printed: no printer is set up.*export a PDF/).waitFor();
  });

  it("pauses, resumes and takes out of the queue what is asked for, and asks before it clears all of it", async () => {
    await drop(page, [await file("slow-first.pdf"), await file("second.pdf"), await file("third.pdf")]);
    const queue = page.getByRole("region", { name: /^Queue: / });
    const row = (name: string) => queue.getByRole("button", { name: new RegExp(`^${name}`) });
    await row("Second").click({ modifiers: ["Control"] });
    await page.getByRole("button", { name: /^Start 2 / }).waitFor();
    await page.keyboard.press("Shift+ArrowDown");
    await page.getByRole("button", { name: /^Start 3 / }).waitFor();
    await row("Slow first").click();
    await page.getByRole("button", { name: /^Start Enter/ }).waitFor();
    await queue.getByRole("button", { name: "Start all" }).click();
    await row("Slow first")
      .getByText(/^Reading, \d+ %, about .* left$/)
      .waitFor();
    expect(await page.getByRole("navigation").getByText("Slow first").count(), "listed once").toBe(1);
    await row("Second").hover();
    await queue.getByRole("button", { name: "Pause Second" }).click();
    await row("Second").getByText("Paused").waitFor();
    await row("Second").hover();
    await queue.getByRole("button", { name: "Resume Second" }).click();
    await row("Second").getByText("Waiting for its turn").waitFor();
    await row("Third").hover();
    await queue.getByRole("button", { name: "Take Third out of the queue" }).click();
    await row("Third").waitFor({ state: "hidden" });
    await queue.getByRole("button", { name: "Pause", exact: true }).click();
    await row("Slow first").getByText("Paused").waitFor();
    await queue.getByRole("button", { name: "Resume", exact: true }).click();
    await row("Slow first")
      .getByText(/^Reading/)
      .waitFor();
    await queue.getByRole("button", { name: "Clear", exact: true }).click();
    await queue.getByText("2 documents would leave the queue. The reading that is under way would stop.").waitFor();
    await queue.getByRole("button", { name: "Leave it as it is" }).click();
    await row("Second").waitFor();
    await queue.getByRole("button", { name: "Clear", exact: true }).click();
    await queue.getByRole("button", { name: "Clear the queue" }).click();
    await queue.waitFor({ state: "hidden" });
    expect(await page.getByRole("navigation").getByText("Slow first").count(), "listed still").toBe(1);
  });

  it("cites the pages of each sentence, and shows what they say beside the chip", async () => {
    await drop(page, [samplePdf]);
    await startButton().click();
    await page.getByText("Kept after reading").waitFor({ timeout: 20_000 });
    const article = page.getByRole("article");
    const chip = article.getByRole("button", { name: "p. 3", exact: true }).first();
    await chip.hover();
    const preview = page.getByText(/^Page 3 The campaign cost/).first();
    await preview.waitFor();
    await screenshot(page, "citations");
    await page.mouse.move(5, 5);
    await preview.waitFor({ state: "hidden" });
    await chip.focus();
    await preview.waitFor();
    await page.keyboard.press("Tab");
    await preview.waitFor({ state: "hidden" });
    expect(await page.evaluate(() => document.documentElement.scrollHeight - innerHeight)).toBe(0);
    expect(await article.getByText("(No page was found that supports this sentence.)").count()).toBeGreaterThan(0);
    const copied = await copiedText(launched, "article");
    expect(copied).toContain("displaced");
    expect(copied).not.toMatch(/p\.\s3/);
  });

  it("answers questions from memory, or by reading again, and says which it did", async () => {
    await drop(page, [samplePdf]);
    await startButton().click();
    await resize(launched, 900, 600);
    const field = page.getByRole("textbox", { name: "Ask about this document" });
    await field.waitFor({ timeout: 20_000 });
    expect(await page.getByRole("button", { name: "Answer from its notes" }).isDisabled()).toBe(true);
    await field.fill("Who pays");
    await field.press("?");
    await field.press("Enter");
    const questions = page.getByRole("region", { name: "Questions" });
    await questions.getByRole("heading", { name: "Who pays?" }).waitFor();
    await questions.getByText(/not read again.*for a summary or another question/).waitFor();
    const places = await page.evaluate(() =>
      [".page", ".answer h3", ".answer .prose"].map((name) => document.querySelector(name)?.getBoundingClientRect()),
    );
    const [pane, asked, answered] = places as [DOMRect, DOMRect, DOMRect];
    expect(asked.top, "the question is seen").toBeGreaterThanOrEqual(pane.top);
    expect(answered.top + 48, "so are the first lines of its answer").toBeLessThanOrEqual(pane.bottom);
    await resize(launched, 1180, 800);
    expect(await questions.getByRole("article").getByRole("button", { name: "p. 3" }).count()).toBe(1);
    await questions.getByRole("button", { name: "Read again for this question" }).last().click();
    await questions.getByText(/^Reading again, \d+ %/).waitFor();
    await questions.getByText("The document was read again for this question.").waitFor();
    expect(await questions.getByRole("heading", { name: "Who pays?" }).count()).toBe(2);
    await screenshot(page, "questions");
    await field.fill("And when?");
    await questions.getByRole("button", { name: "Read again for this question" }).first().click();
    await questions.getByText(/^Reading again, \d+ %/).waitFor();
    await page.keyboard.press("Escape");
    await questions.getByText("Cancelled.").waitFor();
    await page.getByRole("button", { name: /^Start again/ }).click();
    await questions.waitFor({ state: "hidden" });
  });

  it("shows its keys, and works in a small window", async () => {
    await drop(page, [samplePdf]);
    await startButton().waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog").getByText("Export the summary").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    for (const [width, height] of [
      [760, 600],
      [640, 480],
    ] as const) {
      await resize(launched, width, height);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overflow).toBe(0);
      expect(await startButton().isVisible()).toBe(true);
      await screenshot(page, `small-${width}`);
    }
  });
});
