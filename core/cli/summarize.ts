import type { Command } from "commander";
import { PrecisError } from "../errors.js";
import { runFiles } from "./run.js";
import { addRunOptions, addSummaryOptions, type RunFlags } from "./usage.js";

export function addSummarize(program: Command, exit: (code: number) => void): void {
  const command = program
    .command("summarize")
    .description("read documents whole and summarise each, or all of them together")
    .argument("<file...>", "documents: PDF, DOCX, PPTX, ODT, EPUB, HTML, Markdown or text")
    .option("--together", "one summary across all documents, with what each of them says under its name");
  addRunOptions(addSummaryOptions(command), "medium").action(async (files: string[], flags: RunFlags) => {
    if (flags.together && files.length < 2) {
      throw new PrecisError("usage", "--together takes at least two documents.", "Name more, or leave it out.");
    }
    if (flags.together && flags.style === "chapters") {
      throw new PrecisError(
        "usage",
        "Chapters are of one document.",
        "Choose another --style, or leave --together out.",
      );
    }
    exit(await runFiles(files, flags));
  });
}
