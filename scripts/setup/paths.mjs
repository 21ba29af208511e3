/**
 * Where set-up keeps what it fetches and builds. Everything large lives in the user's cache folder, so that a second
 * clone finds it. core/models/paths.ts computes the same folder for the app; a test compares the two.
 */
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout's root folder. */
export const projectDir = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * The user's cache folder for Precis.
 * @param {NodeJS.ProcessEnv} env
 * @param {NodeJS.Platform} platform
 * @returns {string} absolute path; the folder may not exist yet
 */
export function cacheFolder(env = process.env, platform = process.platform) {
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, "precis");
  if (platform === "darwin") return join(homedir(), "Library", "Caches", "Precis");
  if (platform === "win32") return join(env.LOCALAPPDATA ?? join(homedir(), "AppData", "Local"), "Precis", "Cache");
  return join(homedir(), ".cache", "precis");
}
