import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Command } from "commander";
import { PrecisError } from "../errors.js";
import { type FileFormat, fileFormats, fileOf, formatOf } from "../report/formats.js";
import { parseSummaryJson } from "../report/json.js";
import { writeFileAtomically } from "../write.js";

export function addExport(program: Command): void {
  program
    .command("export")
    .description("write a summary that was saved as JSON (--out FILE.json) in another format, without running it again")
    .argument("<summary>", "the JSON file")
    .argument("<out...>", "the files to write: .md, .html, .docx or .json")
    .action(async (summary: string, outs: string[]) => {
      // All are looked at before the first is written.
      const targets = outs.map((out) => [out, formatFor(out)] as const);
      const { result, answers } = parseSummaryJson(await readSummary(summary), basename(summary));
      for (const [out, format] of targets) {
        await writeFileAtomically(out, await fileOf(result, format, answers));
        process.stderr.write(`Written to ${out}\n`);
      }
    });
}

/** The format of a file to be written. @throws PrecisError usage */
export function formatFor(out: string): FileFormat {
  const format = formatOf(out);
  if (format) return format;
  if (/\.pdf$/i.test(out)) {
    throw new PrecisError(
      "usage",
      "A PDF is set by the app's window, and not by the command line.",
      "Use .html and print that from a browser, or export the PDF from the window.",
    );
  }
  const known = `${fileFormats
    .slice(0, -1)
    .map((name) => `.${name}`)
    .join(", ")} or .${fileFormats.at(-1)}`;
  throw new PrecisError("usage", `"${out}" has a file type that cannot be written.`, `Use ${known}.`);
}

async function readSummary(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new PrecisError(
      missing ? "file-missing" : "file-unreadable",
      missing ? `There is no file "${path}".` : `"${path}" could not be read.`,
      "Check the path.",
      { cause },
    );
  }
}
