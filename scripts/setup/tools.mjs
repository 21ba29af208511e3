/** Small helpers that the set-up steps share. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, createReadStream, readFileSync, statSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";

/** A step that could not be done: the message is for the user, and says what to do. */
export class SetupError extends Error {}

/**
 * Runs a program and waits for it.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number, show?: boolean }} options `show` passes its
 *   output through; otherwise the output is only collected.
 * @returns {Promise<{ code: number, output: string }>} code is -1 when it could not start or ran out of time.
 */
export function run(command, args, { cwd, env = process.env, timeoutMs, show = false } = {}) {
  return new Promise((resolve) => {
    // npm and other .cmd files on Windows need a shell; none of our arguments carries a space there.
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ["ignore", show ? "inherit" : "pipe", show ? "inherit" : "pipe"],
      shell: process.platform === "win32" && !command.endsWith(".exe"),
    });
    let output = "";
    child.stdout?.on("data", (chunk) => {
      output += chunk;
    });
    child.stderr?.on("data", (chunk) => {
      output += chunk;
    });
    const timer = timeoutMs
      ? setTimeout(() => {
          output += `\nstopped after ${timeoutMs / 1000} s`;
          child.kill("SIGKILL");
        }, timeoutMs)
      : undefined;
    child.on("error", (error) => {
      clearTimeout(timer);
      resolve({ code: -1, output: error.message });
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? -1, output });
    });
  });
}

/** True if `command` is a program on PATH (a search of folders: starting it would cost more). */
export function onPath(/** @type {string} */ command) {
  const endings = process.platform === "win32" ? (process.env.PATHEXT ?? ".EXE;.CMD").split(";") : [""];
  return (process.env.PATH ?? "").split(delimiter).some((folder) =>
    endings.some((ending) => {
      try {
        accessSync(join(folder, command + ending), constants.X_OK);
        return statSync(join(folder, command + ending)).isFile();
      } catch {
        return false;
      }
    }),
  );
}

/** Hash of a file's bytes, read as a stream. */
export async function hashFile(/** @type {string} */ path, algorithm = "sha256", encoding = "hex") {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest(/** @type {import("node:crypto").BinaryToTextEncoding} */ (encoding));
}

/** The JSON in a file, or undefined if it is missing or damaged (then the step that wrote it simply runs again). */
export function readJson(/** @type {string} */ path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** Writes JSON so that a reader sees the old file or the whole new one. */
export async function writeJson(/** @type {string} */ path, /** @type {unknown} */ value) {
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.${process.pid}.part`;
  await writeFile(part, `${JSON.stringify(value, null, 2)}\n`);
  await rename(part, path);
}

/**
 * Gives `work` an empty folder inside `parent` (so that results can be renamed into place on one file system) and
 * removes it afterwards.
 * @template T
 * @param {string} parent
 * @param {(folder: string) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withTempFolder(parent, work) {
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, ".part-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The last lines of a program's output, indented, for an error message. */
export function tail(/** @type {string} */ output, lines = 12) {
  return output
    .trimEnd()
    .split("\n")
    .slice(-lines)
    .map((line) => `    ${line}`)
    .join("\n");
}
