/** `npm run bench:window`: how smooth and how quick the window is. The page that it writes says what each figure is. */
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

const sections = {
  frames: async () => framesSection(await measureFrames()),
  start: async () => startSection(await measureStarts(rounds)),
  times: async () => timesSection(await measureTimes(rounds)),
};

/** The value that a share of all do not exceed. */
const quantile = (values: readonly number[], share: number) =>
  values.toSorted((one, other) => one - other)[Math.max(0, Math.ceil(share * values.length) - 1)] ?? Number.NaN;
const most = (values: readonly number[]) => Math.max(...values);
const ms = (value: number) => `${value.toFixed(value < 100 ? 1 : 0)} ms`;
const verdict = (value: number, goal: number, words: string) =>
  `${value < goal ? "Reached" : "Missed"}: ${words}, and the goal is below ${goal}.`;

function framesSection(frames: readonly Frames[]): string {
  const rows = frames.map(({ what, gaps }) => [
    what,
    String(gaps.length),
    ms(median(gaps)),
    ms(quantile(gaps, 0.99)),
    ms(most(gaps)),
  ]);
  const worst = most(frames.map(({ gaps }) => quantile(gaps, 0.99)));
  return `## Frames

Milliseconds from one frame to the next (\`requestAnimationFrame\`), with a PDF of ${tablePages} pages open and a library of
${documents} documents, while:

${table(["", "frames", "median", "99 of 100 within", "longest"], rows)}

${verdict(worst, goals.frameMs, `99 of 100 within ${ms(worst)} at worst`)}`;
}

function startSection({ precis, empty }: Starts): string {
  const ratios = precis.map((value, round) => value / (empty[round] ?? Number.NaN));
  const rows = [
    ["Precis", ms(median(precis)), ms(Math.min(...precis)), ms(most(precis))],
    ["an empty window", ms(median(empty)), ms(Math.min(...empty)), ms(most(empty))],
  ];
  const ratio = median(ratios);
  return `## Start

From the start of the process until the window has painted what React has made of it and answers: no task of 50 ms or
more begins within half a second. Beside it a window of the same Electron with one button of React's. ${rounds} starts of each in turn; the files
are in the system's cache.

${table(["", "median", "shortest", "longest"], rows)}

${verdict(ratio, goals.startRatio, `the median of the ratios within a round is ${ratio.toFixed(2)}`)}`;
}

function timesSection({ openings, searches }: { openings: readonly Opening[]; searches: readonly Search[] }): string {
  const first = openings.map(({ firstPageMs }) => firstPageMs);
  const text = openings.map(({ textMs }) => textMs);
  const worst = most(searches.map(({ ms: taken }) => most(taken)));
  const opening = [
    ["its first page is drawn", ms(median(first)), ms(most(first))],
    ["its text is extracted and its tokens are counted", ms(median(text)), ms(most(text))],
  ];
  return `## Opening

From the drop of a PDF of ${wordPages} pages of 450 words each until (${rounds} times):

${table(["", "median", "longest"], opening)}

## Search

From the last letter until the screen shows what was found among ${documents} documents of 12 pages each (${rounds} times):

${table(
  ["", "median", "longest"],
  searches.map(({ what, ms: taken }) => [what, ms(median(taken)), ms(most(taken))]),
)}

${verdict(worst, goals.searchMs, `${ms(worst)} at worst`)}`;
}

const { only } = parseArgs({ options: { only: { type: "string" } } }).values;
const chosen = Object.entries(sections).filter(([name]) => only === undefined || only === name);
if (chosen.length === 0) {
  console.error(`--only takes one of: ${Object.keys(sections).join(", ")}. It is shown, and not written.`);
  process.exit(2);
}
const busy = load();
await build();
const parts: string[] = [];
for (const [name, measure] of chosen) {
  console.error(`${name} …`);
  const part = await measure();
  console.log(`${part}\n`);
  parts.push(part);
}
if (only === undefined) {
  const electron = findElectron();
  const runtime = `Electron ${electron?.version}${electron?.official ? "" : " (a substitute for the release in package.json)"}`;
  const screen = process.env.XAUTHORITY?.includes("xvfb")
    ? "a virtual screen without a graphics card"
    : "a real screen";
  const head = `Made by \`npm run bench:window\` on ${machine}, ${runtime}, ${screen}, ${today}. The model is the default one.${busy > 0.5 ? ` Other programs were at work at the start (load ${busy.toFixed(1)}).` : ""}`;
  const text = ["# The window", head, ...parts].join("\n\n");
  writeFileSync(join(projectDir, "docs", "bench", "window.md"), `${text}\n`);
}
