/**
 * `npm run bench:window`: how smooth and how quick the window is. The page that it writes says what each figure is; beside
 * it the same as data, every single start, opening and search.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "../../../scripts/build.mjs";
import { findElectron } from "../../../scripts/setup/electron.mjs";
import { projectDir } from "../../e2e/support.js";
import { load, machine, today } from "../machine.js";
import { table } from "../report.js";
import { median } from "../summary.js";
import { documents } from "./profile.js";
import { type Frames, measureFrames, pages as tablePages } from "./reading.js";
import { measureStarts, type Starts } from "./start.js";
import { measureTimes, type Opening, type Search, pages as wordPages } from "./times.js";

/** What each figure is to be. */
const goals = { frameMs: 50, startRatio: 1.5, searchMs: 100 };
const rounds = 5;

/** A part of the page, and what it says as data. */
interface Part {
  readonly text: string;
  readonly data: object;
}

const sections: Readonly<Record<string, () => Promise<Part>>> = {
  frames: async () => framesPart(await measureFrames()),
  start: async () => startPart(await measureStarts(rounds)),
  times: async () => timesPart(await measureTimes(rounds)),
};

/** The value that a share of all do not exceed. */
const quantile = (values: readonly number[], share: number) =>
  values.toSorted((one, other) => one - other)[Math.max(0, Math.ceil(share * values.length) - 1)] ?? Number.NaN;
const most = (values: readonly number[]) => Math.max(...values);
const ms = (value: number) => `${value.toFixed(value < 100 ? 1 : 0)} ms`;
const verdict = (value: number, goal: number, words: string) =>
  `${value < goal ? "Reached" : "Missed"}: ${words}, and the goal is below ${goal}.`;

function framesPart(all: readonly Frames[]): Part {
  const frames = all.map(({ what, gaps }) => ({
    what,
    frames: gaps.length,
    medianMs: median(gaps),
    p99Ms: quantile(gaps, 0.99),
    longestMs: most(gaps),
  }));
  const rows = frames.map((one) => [one.what, String(one.frames), ms(one.medianMs), ms(one.p99Ms), ms(one.longestMs)]);
  const worst = most(frames.map(({ p99Ms }) => p99Ms));
  const text = `## Frames

Milliseconds from one frame to the next (\`requestAnimationFrame\`), with a PDF of ${tablePages} pages open and a library of
${documents} documents, while:

${table(["", "frames", "median", "99 of 100 within", "longest"], rows)}

${verdict(worst, goals.frameMs, `99 of 100 within ${ms(worst)} at worst`)}`;
  return { text, data: { frames } };
}

function startPart({ precis, empty }: Starts): Part {
  const ratios = precis.map((value, round) => value / (empty[round] ?? Number.NaN));
  const rows = [
    ["Precis", ms(median(precis)), ms(Math.min(...precis)), ms(most(precis))],
    ["an empty window", ms(median(empty)), ms(Math.min(...empty)), ms(most(empty))],
  ];
  const ratio = median(ratios);
  const text = `## Start

From the start of the process until the window has painted what React has made of it and answers: no task of 50 ms or
more begins within half a second. Beside it a window of the same Electron with one button of React's. ${rounds} starts of each in turn; the files
are in the system's cache.

${table(["", "median", "shortest", "longest"], rows)}

${verdict(ratio, goals.startRatio, `the median of the ratios within a round is ${ratio.toFixed(2)}`)}`;
  return { text, data: { startMs: { precis, empty, ratio } } };
}

function timesPart({ openings, searches }: { openings: readonly Opening[]; searches: readonly Search[] }): Part {
  const first = openings.map(({ firstPageMs }) => firstPageMs);
  const texts = openings.map(({ textMs }) => textMs);
  const worst = most(searches.map(({ ms: taken }) => most(taken)));
  const opening = [
    ["its first page is drawn", ms(median(first)), ms(most(first))],
    ["its text is extracted and its tokens are counted", ms(median(texts)), ms(most(texts))],
  ];
  const text = `## Opening

From the drop of a PDF of ${wordPages} pages of 450 words each until (${rounds} times):

${table(["", "median", "longest"], opening)}

## Search

From the last letter until the screen shows what was found among ${documents} documents of 12 pages each (${rounds} times):

${table(
  ["", "median", "longest"],
  searches.map(({ what, ms: taken }) => [what, ms(median(taken)), ms(most(taken))]),
)}

${verdict(worst, goals.searchMs, `${ms(worst)} at worst`)}`;
  return { text, data: { openings, searches } };
}

/** Of a time, what could be known of it. */
const rounded = (_: string, value: unknown) => (typeof value === "number" ? Number(value.toFixed(2)) : value);

const { only } = parseArgs({ options: { only: { type: "string" } } }).values;
const chosen = Object.entries(sections).filter(([name]) => only === undefined || only === name);
if (chosen.length === 0) {
  console.error(`--only takes one of: ${Object.keys(sections).join(", ")}. It is shown, and not written.`);
  process.exit(2);
}
const busy = load();
await build();
const parts: Part[] = [];
for (const [name, measure] of chosen) {
  console.error(`${name} …`);
  const part = await measure();
  console.log(`${part.text}\n`);
  parts.push(part);
}
if (only === undefined) {
  const electron = findElectron();
  const runtime = `Electron ${electron?.version}${electron?.official ? "" : " (a substitute for the release in package.json)"}`;
  const screen = process.env.XAUTHORITY?.includes("xvfb")
    ? "a virtual screen without a graphics card"
    : "a real screen";
  const head = `Made by \`npm run bench:window\` on ${machine}, ${runtime}, ${screen}, ${today}. The model is the default one.${busy > 0.5 ? ` Other programs were at work at the start (load ${busy.toFixed(1)}).` : ""}`;
  const folder = join(projectDir, "docs", "bench");
  const text = ["# The window", `${head} As data: [window.json](window.json).`, ...parts.map((part) => part.text)];
  writeFileSync(join(folder, "window.md"), `${text.join("\n\n")}\n`);
  const data = Object.assign({ machine, runtime, screen, date: today, load: busy }, ...parts.map((part) => part.data));
  writeFileSync(join(folder, "window.json"), `${JSON.stringify(data, rounded, 1)}\n`);
}
