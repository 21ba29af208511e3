#!/usr/bin/env node
/** Builds dist/: Electron's main process, its preload, the worker, and the window. `node scripts/build.mjs` */
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { build as bundle, context } from "esbuild";
import { build as buildWithVite } from "vite";
import { nodeBundles, targets } from "./bundles.mjs";
import { projectDir } from "./setup/paths.mjs";

/** pdf.js loads its decoder of JPEG 2000 by this name, when it first meets such a picture. @returns {import("vite").Plugin} */
const pdfDecoder = () => ({
  name: "pdf-decoder",
  generateBundle() {
    const source = readFileSync(join(projectDir, "node_modules/pdfjs-dist/wasm/openjpeg_nowasm_fallback.js"));
    this.emitFile({ type: "asset", fileName: "pdfjs/openjpeg_nowasm_fallback.js", source });
  },
});

/**
 * Vite's options for the window.
 * @param {string} root
 * @returns {import("vite").InlineConfig}
 */
export function windowConfig(root = projectDir) {
  return {
    configFile: false,
    root: join(root, "renderer"),
    // The window is loaded from a file, so every address is relative.
    base: "./",
    plugins: [react(), pdfDecoder()],
    // The words of every language: as one string each they are read much faster than as a program.
    json: { stringify: true },
    // pdf.js' thread loads that decoder as a module.
    worker: { format: "es" },
    build: { outDir: join(root, "dist", "renderer"), emptyOutDir: true, target: targets.chrome, sourcemap: true },
    logLevel: "warn",
  };
}

/** Builds everything once. */
export async function build(root = projectDir) {
  await rm(join(root, "dist"), { recursive: true, force: true });
  await Promise.all([...nodeBundles(root).map((options) => bundle(options)), buildWithVite(windowConfig(root))]);
}

/**
 * Builds everything, and again whenever a source changes.
 * @param {() => void} onRebuilt called after every rebuild but the first
 * @returns {Promise<() => Promise<void>>} stops watching
 */
export async function watch(onRebuilt, root = projectDir) {
  await rm(join(root, "dist"), { recursive: true, force: true });
  const contexts = await Promise.all(
    nodeBundles(root).map((options) => {
      const announce = announcer(onRebuilt);
      const plugin = {
        name: "announce",
        setup: (/** @type {import("esbuild").PluginBuild} */ build) =>
          build.onEnd(({ errors }) => {
            if (errors.length === 0) announce();
          }),
      };
      return context({ ...options, plugins: [plugin] });
    }),
  );
  await Promise.all(contexts.map((each) => each.watch()));

  const config = windowConfig(root);
  const watcher = /** @type {import("rolldown").RolldownWatcher} */ (
    await buildWithVite({ ...config, build: { ...config.build, watch: {} } })
  );
  const announce = announcer(onRebuilt);
  await new Promise((resolve) => {
    watcher.on("event", (event) => {
      if (event.code === "ERROR") console.error(event.error.message);
      if (event.code !== "END") return;
      resolve(undefined);
      announce();
    });
  });
  return async () => {
    await Promise.all([watcher.close(), ...contexts.map((each) => each.dispose())]);
  };
}

/** Calls `onRebuilt` from the second time on. */
function announcer(/** @type {() => void} */ onRebuilt) {
  let first = true;
  return () => {
    if (!first) onRebuilt();
    first = false;
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const since = Date.now();
  await build();
  console.error(`built dist/ in ${((Date.now() - since) / 1000).toFixed(1)} s`);
}
