#!/usr/bin/env node
/**
 * Packages the app: `node scripts/package.mjs [--dir]` (--dir: the unpacked folder instead of installers). Settings
 * are in electron-builder.yml. Where the official Electron is not here, the prepared substitute goes in, and the
 * output says so: such a package is for trying, not for shipping.
 */
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Platform, build as packageApp } from "electron-builder";
import { build } from "./build.mjs";
import { findElectron } from "./setup/electron.mjs";
import { projectDir } from "./setup/paths.mjs";

const unpacked = process.argv.includes("--dir");
const electron = findElectron();
if (!electron) {
  console.error("There is no Electron runtime yet. Run: node scripts/setup.mjs --for start");
  process.exit(1);
}
if (!electron.official && !unpacked) {
  console.error(
    "Installers are made only with the official Electron, which is not on this machine. Try: npm run build",
  );
  process.exit(1);
}

await build();
const runtime = electron.official
  ? {}
  : {
      electronDist: dirname(electron.executable),
      electronVersion: electron.version,
      // The substitute's shim stands where the app's archive goes.
      afterPack: async (/** @type {{ appOutDir: string }} */ { appOutDir }) =>
        rm(join(appOutDir, "resources", "app"), { recursive: true, force: true }),
    };
const results = await packageApp({
  projectDir,
  targets: unpacked ? Platform.current().createTarget("dir") : Platform.current().createTarget(),
  publish: "never",
  config: runtime,
});
const kind = electron.official ? "the official release" : "a substitute, because the official release is not here";
console.log(
  `Packaged with Electron ${electron.version} (${kind}): ${unpacked ? join(projectDir, "out") : results.join(", ")}`,
);
