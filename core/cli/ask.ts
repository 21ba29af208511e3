import type { Command } from "commander";
import { PrecisError } from "../errors.js";
import { runFiles } from "./run.js";
import { addRunOptions, type RunFlags } from "./usage.js";

export function addAsk(program: Command, exit: (code: number) => void): void {
  const command = program
    .command("ask")
    .description("read a document whole and answer a question")
    .argument("<file>", "a document: PDF, DOCX, PPTX, ODT, EPUB, HTML, Markdown or text")
    .argument("<question>", "the question, in quotes");
  addRunOptions(command, "short")
    .option("--no-cache", "read the document again, and save nothing for the next question")
    .action(async (file: string, question: string, flags: RunFlags) => {
      if (question.trim() === "") throw new PrecisError("usage", "The question is empty.");
      exit(await runFiles([file], flags, question));
    });
}
