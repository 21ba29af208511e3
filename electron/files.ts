/** Files named on a command line. */
import path from "node:path";
import { extensions } from "../core/documents/extensions.js";

const endings = new Set(extensions.map((extension) => `.${extension}`));

/**
 * The documents among a start's arguments, as absolute paths: options and the app's own folder are none. A missing
 * file stays in, so that the window can say that it is missing.
 */
export function documentsIn(args: readonly string[], cwd: string): string[] {
  return args
    .filter((arg) => !arg.startsWith("-") && endings.has(path.extname(arg).toLowerCase()))
    .map((arg) => path.resolve(cwd, arg));
}
