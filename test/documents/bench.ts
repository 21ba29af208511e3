/**
 * How long reading a 300-page PDF takes beside pdfjs-dist's plain text extraction, in one run, best of five rounds each,
 * taken in turn; and the most memory of a process that only reads it: `npx tsx test/documents/bench.ts [pages]`.
 */
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { readPdf } from "../../core/documents/pdf.js";
import { formatBytes } from "../../core/format.js";
import { sourceOf } from "./folder.js";
import { pagesOfWords } from "./pdfs.js";

const pages = Number(process.argv[2] ?? 300);
const pdf = await pagesOfWords(pages);

function letters(text: string): number {
  return text.replace(/\s+/g, "").length;
}

async function plain(): Promise<number> {
  const { getDocument } = await import("pdfjs-dist/legacy/build/pdf.mjs");
  const task = getDocument({ data: new Uint8Array(pdf), useSystemFonts: false, isEvalSupported: false });
  const document = await task.promise;
  let characters = 0;
  for (let number = 1; number <= document.numPages; number++) {
    const page = await document.getPage(number);
    for (const item of (await page.getTextContent()).items) if ("str" in item) characters += letters(item.str);
    page.cleanup();
  }
  await task.destroy();
  return characters;
}

async function ours(): Promise<number> {
  const document = await readPdf(sourceOf("bench.pdf", Buffer.from(pdf)));
  return document.pages.reduce((sum, page) => sum + letters(page.text), 0);
}

const best = { plain: Number.POSITIVE_INFINITY, ours: Number.POSITIVE_INFINITY };
// The first of ours also loads pdf.js' worker into this thread, where both then run.
await ours();
for (let round = 0; round < 5; round++) {
  for (const [name, read] of Object.entries({ plain, ours }) as ["plain" | "ours", () => Promise<number>][]) {
    const started = performance.now();
    const characters = await read();
    best[name] = Math.min(best[name], performance.now() - started);
    if (round === 0) console.log(`${name}: ${characters} letters`);
  }
}
console.log(
  `${pages} pages (${formatBytes(pdf.length)}): pdf.js alone ${best.plain.toFixed(0)} ms, Precis ${best.ours.toFixed(0)} ms, ` +
    `${(best.ours / best.plain).toFixed(2)}x`,
);
// As the app runs it, bundled: under tsx the loader itself takes most of the memory.
const reader = fileURLToPath(new URL("../../dist/bench/reader.mjs", import.meta.url));
const file = reader.replace(/mjs$/, "pdf");
const script = `
  import { readFileSync } from "node:fs";
  import { readPdf } from "../../core/documents/pdf.ts";
  await readPdf({ path: "", name: "", bytes: readFileSync(process.argv[2]) });
  console.log(process.resourceUsage().maxRSS);
`;
const common = { bundle: true, platform: "node", format: "esm", packages: "external" } as const;
buildSync({ ...common, stdin: { contents: script, resolveDir: import.meta.dirname }, outfile: reader });
writeFileSync(file, pdf);
const { stdout } = spawnSync(process.execPath, [reader, file], { encoding: "utf8" });
console.log(`peak of a process that reads it: ${formatBytes(Number(stdout) * 1024)}`);
rmSync(dirname(reader), { recursive: true });
