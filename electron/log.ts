/** What goes wrong, in a file that a user can send along with a report. */
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";

/** A file that has grown larger is begun anew at the next start. */
const mostBytes = 2 ** 20;

/** The part of a stream that is listened to. */
interface Output {
  write(chunk: string | Uint8Array, ...rest: never[]): boolean;
}

/**
 * From now on what is written to `output` stands in the file, too, at once: the program may end with the next line. This
 * process's error output is its worker threads' as well.
 * @param first begins what this start adds
 */
export function keepLog(file: string, first: string, output: Output = process.stderr): void {
  const write = output.write.bind(output);
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    // Errors may name documents.
    writeFileSync(file, `${first}\n`, { flag: size > mostBytes ? "w" : "a", mode: 0o600 });
  } catch (error) {
    console.warn("There is no log:", error);
    return;
  }
  output.write = (chunk, ...rest) => {
    try {
      writeFileSync(file, chunk, { flag: "a" });
    } catch {
      // A full disk must not keep an error from being seen where it always is.
    }
    return write(chunk, ...rest);
  };
}
