/** `precis` as users run it: in a process of its own. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder, modelsFolder } from "../../core/models/paths.js";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Folders of the cache that runs write into: those of tests belong to tests, all that set-up has fetched is the user's. */
const written = ["caches", "parts"];

/** Of the models' folder, what set-up has put there; what else is in it (added models, downloads) is the user's own. */
const isModel = (name: string) => /\.gguf(\.checked\.json)?$/.test(name);

/** A temporary folder that stands in for the user's cache folder, with the models in it. */
export function ownCacheHome(): string {
  const folder = mkdtempSync(join(tmpdir(), "precis-cli-"));
  linkCache(folder);
  return folder;
}

/** Makes a folder stand in for the user's cache folder. */
export function linkCache(folder: string): void {
  const own = join(folder, "precis");
  mkdirSync(own, { recursive: true });
  linkInto(own, cacheFolder(), (name) => !written.includes(name) && name !== "models");
  mkdirSync(join(own, "models"), { recursive: true });
  linkInto(join(own, "models"), modelsFolder(), isModel);
}

function linkInto(folder: string, from: string, wanted: (name: string) => boolean): void {
  for (const name of readdirSync(from)) {
    if (wanted(name) && !existsSync(join(folder, name))) symlinkSync(join(from, name), join(folder, name));
  }
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From the signal to the end, when one was sent. */
  readonly signalMs: number;
}

export interface PrecisOptions {
  readonly cacheHome: string;
  /** Sent once, as soon as `when` is true of what stands on stderr and stdout. */
  readonly signal?: { readonly name: NodeJS.Signals; readonly when: (stderr: string, stdout: string) => boolean };
  readonly onStderr?: (text: string) => void;
}

export function precis(args: readonly string[], { cacheHome, signal, onStderr }: PrecisOptions): Promise<Ended> {
  const command = [join(root, "scripts", "precis.mjs"), ...args];
  const child = spawn(process.execPath, command, { cwd: root, env: { ...process.env, XDG_CACHE_HOME: cacheHome } });
  let stdout = "";
  let stderr = "";
  let signalled = 0;
  const signalWhen = () => {
    if (signal && signalled === 0 && signal.when(stderr, stdout)) {
      signalled = performance.now();
      child.kill(signal.name);
    }
  };
  child.stdout.on("data", (data) => {
    stdout += data;
    signalWhen();
  });
  child.stderr.on("data", (data) => {
    stderr += data;
    onStderr?.(String(data));
    signalWhen();
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr, signalMs: performance.now() - signalled }));
  });
}
