/** What esbuild makes of the sources that run in Node. */

/** Oldest runtimes that the app must start on: what tests run on where the official Electron cannot be had. */
export const targets = { node: "node20", chrome: "chrome130" };

/**
 * @param {string} root project folder that holds electron/ and core/
 * @returns {import("esbuild").BuildOptions}
 */
const common = (root) => ({
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: targets.node,
  logLevel: "warning",
  // Found at run time beside their own files: prebuilt libraries, workers, character maps and fonts; and what is
  // written for CommonJS.
  external: [
    "electron",
    "node-llama-cpp",
    "pdfjs-dist",
    "@napi-rs/canvas",
    "tesseract.js",
    "mammoth",
    "jszip",
    "linkedom",
    "yauzl",
    "@photostructure/sqlite",
    "undici",
  ],
});

/**
 * The app's bundles: Electron's main process, its preload and the worker.
 * @param {string} root
 * @returns {import("esbuild").BuildOptions[]}
 */
export function nodeBundles(root) {
  const options = { ...common(root), sourcemap: true };
  return [
    {
      ...options,
      entryPoints: ["electron/main.ts"],
      outdir: "dist/electron",
      outExtension: { ".js": ".mjs" },
      format: "esm",
      // What is imported when it is first needed, such as the exports, must not be read before every first frame.
      splitting: true,
      minifyWhitespace: true,
      minifySyntax: true,
    },
    // A sandboxed preload can only be CommonJS.
    { ...options, entryPoints: ["electron/preload.ts"], outfile: "dist/electron/preload.cjs", format: "cjs" },
    { ...options, entryPoints: ["core/worker/main.ts"], outfile: "dist/worker/main.mjs", format: "esm" },
  ];
}

/**
 * The command line's bundle, as bytes: whoever runs it writes it.
 * @param {string} root
 * @returns {import("esbuild").BuildOptions & { write: false, outfile: string }}
 */
export function cliBundle(root) {
  const { external = [], ...options } = common(root);
  return {
    ...options,
    // it is written for CommonJS too
    external: [...external, "commander"],
    entryPoints: ["core/cli/main.ts"],
    outfile: "dist/cli/main.mjs",
    format: "esm",
    write: false,
  };
}
