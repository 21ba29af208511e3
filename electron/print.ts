/** A report on paper: its HTML laid out by Chromium in a window that is never shown, into a PDF or to a printer. */

import { randomBytes } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { app, BrowserWindow, type WebContents } from "electron";
import { PrecisError } from "../core/errors.js";
import { t } from "./language.js";

/** The HTML as a PDF of A4 pages with numbers, an outline and tags for screen readers. */
export function pdfOf(html: string): Promise<Uint8Array> {
  return laidOut(html, (contents) =>
    contents.printToPDF({
      pageSize: "A4",
      printBackground: true,
      displayHeaderFooter: true,
      headerTemplate: "<span></span>",
      footerTemplate: FOOTER,
      generateTaggedPDF: true,
      generateDocumentOutline: true,
    }),
  );
}

/**
 * Prints the HTML through the system's dialog.
 * @returns false when the user dismissed it
 * @throws PrecisError print-failed
 */
export function print(html: string): Promise<boolean> {
  return laidOut(
    html,
    (contents) =>
      new Promise((resolve, reject) =>
        contents.print({ printBackground: true }, (printed, reason) => {
          if (printed || /cancel/i.test(reason)) resolve(printed);
          else reject(notPrinted(reason));
        }),
      ),
  );
}

/** Chromium fills in the page's number and the number of pages. */
const FOOTER =
  '<div style="width:100%;margin:0 20mm;font:8px sans-serif;color:#6b665e;text-align:right">' +
  '<span class="pageNumber"></span> / <span class="totalPages"></span></div>';

async function laidOut<Value>(html: string, work: (contents: WebContents) => Promise<Value>): Promise<Value> {
  // A file, since addresses that hold their page in themselves must be short.
  const file = path.join(app.getPath("temp"), `precis-${randomBytes(8).toString("hex")}.html`);
  const window = new BrowserWindow({ show: false, webPreferences: { sandbox: true, javascript: false } });
  try {
    await writeFile(file, html, { mode: 0o600, flag: "wx" });
    await window.loadFile(file);
    return await work(window.webContents);
  } finally {
    window.destroy();
    await rm(file, { force: true });
  }
}

function notPrinted(reason: string): PrecisError {
  return new PrecisError(
    "print-failed",
    t("errors.notPrinted", { reason: reason || t("errors.noReason") }),
    t("errors.checkPrinter"),
  );
}
