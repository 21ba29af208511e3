import type { Command } from "commander";
import { runFiles } from "./run.js";
import { addRunOptions, type RunFlags } from "./usage.js";

export function addSummarize(program: Command, exit: (code: number) => void): void {
  const command = program
    .command("summarize")
    .description("read documents whole and summarise each")
    .argument("<file...>", "documents: PDF, DOCX, PPTX, ODT, EPUB, HTML, Markdown or text");
  addRunOptions(command, "medium").action(async (files: string[], flags: RunFlags) =>
    exit(await runFiles(files, flags)),
  );
}
