#!/usr/bin/env node
/**
 * Builds Precis and starts its window: `node scripts/start.mjs [--watch] [FILE...]`.
 * With --watch every change to a source is built at once and the app starts again.
 */
import { spawn } from "node:child_process";
import { build, watch } from "./build.mjs";
import { findElectron } from "./setup/electron.mjs";
import { projectDir } from "./setup/paths.mjs";

const args = process.argv.slice(2);
const watching = args.includes("--watch");
const files = args.filter((argument) => argument !== "--watch");

const electron = findElectron();
if (!electron) {
  console.error("There is no Electron runtime yet. Run: node scripts/setup.mjs --for start");
  process.exit(1);
}
if (!electron.official) console.error(`Running on Electron ${electron.version}: the official release is not here.`);

/** @type {string[]} */
const flags = [];
if (process.platform === "linux" && process.getuid?.() === 0) {
  // Chromium refuses to sandbox a process of root's.
  console.error("Running as root, so Chromium's sandbox is off (--no-sandbox). Run as another user to have it.");
  flags.push("--no-sandbox");
}

/** Starts the app on dist/. */
function launch() {
  return spawn(/** @type {string} */ (electron?.executable), [projectDir, ...flags, ...files], {
    stdio: "inherit",
  });
}

/** Passes a stop from the terminal on to the app, which ends this process when it ends. */
function forwardSignals(/** @type {() => import("node:child_process").ChildProcess | undefined} */ current) {
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) process.on(signal, () => current()?.kill(signal));
}

if (watching) {
  let restarting = false;
  /** @type {import("node:child_process").ChildProcess | undefined} */
  let app;
  /** @type {NodeJS.Timeout | undefined} */
  let pending;
  const stopWatching = await watch(() => {
    // One edit can rebuild several bundles: wait for the last of them.
    clearTimeout(pending);
    pending = setTimeout(() => {
      console.error("changed: starting again");
      restarting = true;
      app?.kill();
    }, 300);
  });
  const start = () => {
    app = launch();
    app.on("exit", async (code) => {
      if (restarting) {
        restarting = false;
        start();
        return;
      }
      await stopWatching();
      process.exit(code ?? 0);
    });
  };
  start();
  forwardSignals(() => app);
} else {
  await build();
  const app = launch();
  forwardSignals(() => app);
  app.on("exit", (code) => process.exit(code ?? 1));
}
