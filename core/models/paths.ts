/** Where models live. The folder is the one that scripts/setup/paths.mjs computes; a test compares the two. */
import { homedir } from "node:os";
import { join } from "node:path";

/** The user's cache folder for Precis (absolute; may not exist yet). */
export function cacheFolder(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, "precis");
  if (platform === "darwin") return join(homedir(), "Library", "Caches", "Precis");
  if (platform === "win32") return join(env.LOCALAPPDATA ?? join(homedir(), "AppData", "Local"), "Precis", "Cache");
  return join(homedir(), ".cache", "precis");
}

/** Folder of the downloaded models. */
export function modelsFolder(): string {
  return join(cacheFolder(), "models");
}
