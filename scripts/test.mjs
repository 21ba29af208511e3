#!/usr/bin/env node
/**
 * Runs the tests: `node scripts/test.mjs [vitest arguments]`. Builds dist/ first, because the window's tests drive the
 * built app. The last line printed is the count: "N passed, N failed".
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { findElectron } from "./setup/electron.mjs";
import { projectDir } from "./setup/paths.mjs";
import { readJson } from "./setup/tools.mjs";
import { runWithScreen } from "./with-screen.mjs";

const electron = findElectron();
const release = electron?.official ? "the official release" : "a substitute for the release in package.json";
console.log(electron ? `Window tests run on Electron ${electron.version}, ${release}.` : "There is no Electron here.");

await build();

const folder = await mkdtemp(join(tmpdir(), "precis-test-"));
const report = join(folder, "report.json");
const vitest = [join(projectDir, "node_modules", "vitest", "vitest.mjs"), "run", ...process.argv.slice(2)];
const command = [process.execPath, ...vitest, "--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
const code = await runWithScreen(command, projectDir);

const counts = readJson(report);
await rm(folder, { recursive: true, force: true });
const passed = counts?.numPassedTests ?? 0;
// A file that fails before its first test has no failed test; it counts as one.
const emptyFailures = (counts?.testResults ?? []).filter(
  (/** @type {{ status: string, assertionResults: { status: string }[] }} */ file) =>
    file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
).length;
let failed = (counts?.numFailedTests ?? 0) + emptyFailures;
// vitest found something outside any test (an unhandled rejection, no report at all).
if (code !== 0 && failed === 0) failed = 1;
const skipped = (counts?.numPendingTests ?? 0) + (counts?.numTodoTests ?? 0);
if (passed === 0) console.error("No test ran to its end.");
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
