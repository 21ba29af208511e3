import type { SummaryResult } from "../summarize/result.js";
import { keptMapWords, type Picture } from "./kept-map.js";
import type { Block, Inline, TextRun } from "./prose.js";
import { type Report, type ReportOptions, type Row, reportOf } from "./report.js";

/**
 * The summary as one HTML file: light and dark, ready to print, without a script. Its policy lets nothing be loaded or
 * run, so that even what slipped through the escaping could do nothing.
 */
export function summaryHtml(result: SummaryResult, options: ReportOptions = {}): string {
  const report = reportOf(result, options);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="Precis">
<title>${escaped(report.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<h1 dir="auto">${escaped(report.title)}</h1>
<p dir="auto">${escaped(report.subtitle)}</p>
</header>
<article>
${proseHtml(report)}
${answersHtml(report)}</article>
${about(report)}
</main>
</body>
</html>
`;
}

/** What was written alone, as elements without a style of their own: what another program pastes. */
export function proseHtml({ prose, cite }: Pick<Report, "prose" | "cite">): string {
  return elements(prose, cite);
}

function answersHtml({ answers, cite }: Report): string {
  if (answers.length === 0) return "";
  const each = answers.map(({ question, prose, notes }) =>
    [
      `<h3 dir="auto">${escaped(question)}</h3>`,
      elements(prose, cite),
      ...notes.map((note) => `<p class="note" dir="auto">${escaped(note)}</p>`),
    ].join("\n"),
  );
  return `<section>\n<h2>Questions and answers</h2>\n${each.join("\n")}\n</section>\n`;
}

/** Text as characters only, in an element or in a quoted attribute. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function elements(blocks: readonly Block[], cite: Report["cite"]): string {
  return blocks.map((block) => element(block, cite)).join("\n");
}

function element(block: Block, cite: Report["cite"]): string {
  const inside = (inlines: readonly Inline[]) => inlines.map((part) => phrase(part, cite)).join("");
  switch (block.kind) {
    case "heading":
      return `<h${block.level} dir="auto">${inside(block.inlines)}</h${block.level}>`;
    case "paragraph":
      return `<p dir="auto">${inside(block.inlines)}</p>`;
    case "list": {
      const tag = block.start === undefined ? "ul" : "ol";
      const start = block.start === undefined || block.start === 1 ? "" : ` start="${block.start}"`;
      return `<${tag}${start}>\n${block.items.map((item) => `<li dir="auto">${itemHtml(item, cite)}</li>`).join("\n")}\n</${tag}>`;
    }
    case "quote":
      return `<blockquote>${elements(block.blocks, cite)}</blockquote>`;
    case "code":
      return `<pre><code>${inside(block.inlines)}</code></pre>`;
    case "rule":
      return "<hr>";
  }
}

/** An item's only paragraph needs no element of its own. */
function itemHtml(item: readonly Block[], cite: Report["cite"]): string {
  const [first, ...rest] = item;
  if (first?.kind !== "paragraph") return elements(item, cite);
  return [first.inlines.map((part) => phrase(part, cite)).join(""), elements(rest, cite)].filter(Boolean).join("\n");
}

function phrase(part: Inline, cite: Report["cite"]): string {
  if (part.kind === "break") return "<br>";
  if (part.kind === "citation") {
    const kind = part.pages.length === 0 ? "cite unsupported" : "cite";
    return ` <span class="${kind}">(${escaped(cite(part))})</span>`;
  }
  return textHtml(part);
}

function textHtml({ text, code, emphasis, strong }: TextRun): string {
  let html = escaped(text);
  if (code) html = `<code>${html}</code>`;
  if (emphasis) html = `<em>${html}</em>`;
  return strong ? `<strong>${html}</strong>` : html;
}

/** What stands under the answer: what supports it, pages, warnings, facts, layers. */
function about({ cited, coverage, warnings, facts, layers, map }: Report): string {
  const sections = [
    cited.length > 0 ? `<section>\n<h2>What the cited pages say</h2>\n${table(cited)}\n</section>` : "",
    `<section>\n<h2>What was read</h2>\n${table(coverage)}\n</section>`,
    warnings.length > 0
      ? `<section>\n<h2>Warnings</h2>\n<ul class="warnings">\n${warnings.map((warning) => `<li dir="auto">${escaped(warning)}</li>`).join("\n")}\n</ul>\n</section>`
      : "",
    `<section>\n<h2>How it was made</h2>\n${table(facts)}\n</section>`,
    layers.length > 0 ? `<section class="layers">\n<h2>Kept in each layer</h2>\n${bars(layers)}\n</section>` : "",
    map ? `<section class="layers">\n<h2>What was kept of the text</h2>\n${picture(map)}\n</section>` : "",
  ];
  return `<footer>\n${sections.filter(Boolean).join("\n")}\n</footer>`;
}

function table(rows: readonly Row[]): string {
  const row = ([name, value]: Row) =>
    `<tr><th scope="row">${escaped(name)}</th><td dir="auto">${escaped(value)}</td></tr>`;
  return `<table>\n${rows.map(row).join("\n")}\n</table>`;
}

/** Tokens that each layer kept, as bars of a drawing that is 100 high and as wide as it has layers. */
function bars(layers: readonly number[]): string {
  const most = Math.max(1, ...layers);
  const least = Math.min(...layers);
  const drawn = layers.map((tokens, index) => {
    const height = Math.max(1, (100 * tokens) / most);
    return `<rect x="${index + 0.08}" y="${(100 - height).toFixed(2)}" width="0.84" height="${height.toFixed(2)}"/>`;
  });
  const words = `Between ${least} and ${most} tokens in each of ${layers.length} layers`;
  return `<svg viewBox="0 0 ${layers.length} 100" preserveAspectRatio="none" role="img" aria-label="${words}">${drawn.join("")}</svg>\n<p>${words}, from the first layer to the last.</p>`;
}

function picture({ bytes }: Picture): string {
  const data = Buffer.from(bytes).toString("base64");
  return `<img alt="${keptMapWords}" src="data:image/bmp;base64,${data}">\n<p>${keptMapWords}</p>`;
}

const STYLE = `
:root {
  --paper: oklch(0.992 0.003 90); --ink: oklch(0.245 0.012 75); --soft: oklch(0.455 0.014 75);
  --line: oklch(0.895 0.008 85); --accent: oklch(0.475 0.085 195); --bad: oklch(0.5 0.15 28); --warn: oklch(0.5 0.09 75);
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: oklch(0.222 0.006 75); --ink: oklch(0.905 0.012 85); --soft: oklch(0.72 0.014 82);
    --line: oklch(0.34 0.008 75); --accent: oklch(0.775 0.085 190); --bad: oklch(0.765 0.115 30); --warn: oklch(0.8 0.085 80);
  }
  img { opacity: 0.85; }
}
body { margin: 0; background: var(--paper); color: var(--ink); font: 13px/1.5 system-ui, "Segoe UI", "Noto Sans", sans-serif; }
main { max-width: 42rem; margin: 0 auto; padding: 3rem 1.5rem 4rem; }
h1 { margin: 0 0 0.25rem; font: 500 1.75rem/1.2 "Iowan Old Style", Charter, "Source Serif 4", Cambria, "Noto Serif", Georgia, serif; overflow-wrap: anywhere; }
header { border-bottom: 1px solid var(--line); padding-bottom: 1rem; color: var(--soft); }
header h1 { color: var(--ink); }
header p { margin: 0; overflow-wrap: anywhere; }
article { font: 17px/1.62 "Iowan Old Style", Charter, "Source Serif 4", Cambria, "Noto Serif", Georgia, serif; padding: 0.5rem 0 1.5rem; overflow-wrap: break-word; }
article :is(h2, h3, h4, h5, h6) { margin: 1.5em 0 0.5em; font-size: 1em; font-weight: 600; line-height: 1.3; }
article h2 { font-size: 1.15em; }
article p, article ul, article ol { margin: 0.75em 0; }
article :is(ul, ol) { padding-inline-start: 1.4em; }
article li + li { margin-top: 0.35em; }
article blockquote { margin: 0.75em 0; padding-inline-start: 1rem; border-inline-start: 2px solid var(--line); color: var(--soft); }
article pre, article code { font: inherit; white-space: pre-wrap; }
article hr { border: 0; border-top: 1px solid var(--line); margin: 1.5em 0; }
article section { border-top: 1px solid var(--line); margin-top: 2rem; }
article .note { font: 13px/1.5 system-ui, "Segoe UI", "Noto Sans", sans-serif; color: var(--soft); }
.cite { font: 12px/1 system-ui, "Segoe UI", "Noto Sans", sans-serif; color: var(--accent); white-space: nowrap; }
.cite.unsupported { display: inline-block; color: var(--bad); white-space: normal; }
footer h2 { margin: 1.5rem 0 0.5rem; font-size: 13px; font-weight: 600; }
footer { border-top: 1px solid var(--line); font-variant-numeric: tabular-nums; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 0.25rem 0; border-bottom: 1px solid var(--line); text-align: start; vertical-align: top; overflow-wrap: anywhere; }
th { width: 34%; padding-inline-end: 1rem; font-weight: 400; color: var(--soft); }
.warnings { margin: 0; padding: 0; list-style: none; }
.warnings li { padding-inline-start: 0.75rem; border-inline-start: 2px solid var(--warn); margin-bottom: 0.5rem; overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: 4rem; fill: var(--accent); border-bottom: 1px solid var(--soft); }
img { display: block; width: 100%; height: 7rem; image-rendering: pixelated; }
.layers p { margin: 0.25rem 0 0; color: var(--soft); }
@page { margin: 20mm 20mm 22mm; }
@media print {
  :root { --paper: white; }
  body { font-size: 9.5pt; }
  main { max-width: none; padding: 0; }
  article { font-size: 11pt; orphans: 3; widows: 3; }
  h1, h2, h3, h4, h5, h6 { break-after: avoid; }
  tr, li, .layers { break-inside: avoid; }
  svg, img { print-color-adjust: exact; }
}
`;
