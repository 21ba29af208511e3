#!/usr/bin/env node
/** Runs a command that opens windows: `node scripts/with-screen.mjs COMMAND [ARGUMENT...]`. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * Runs a command to its end; on Linux without a screen, on a virtual one.
 * @param {readonly string[]} command
 * @param {string} [cwd]
 * @returns {Promise<number>} its exit code; 1 when it could not be started or was killed
 */
export function runWithScreen(command, cwd) {
  const screen = ["xvfb-run", "--auto-servernum", "--server-args=-screen 0 2560x1440x24"];
  const needed = process.platform === "linux" && !process.env.DISPLAY;
  const [program = "", ...args] = [...(needed ? screen : []), ...command];
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, stdio: "inherit" });
    child.on("error", (error) => {
      console.error(`${program} could not be started: ${error.message}`);
      resolve(1);
    });
    child.on("close", (exit) => resolve(exit ?? 1));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exit(await runWithScreen(process.argv.slice(2)));
