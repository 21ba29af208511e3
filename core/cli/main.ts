/** `precis`: the command line. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 cancelled. */
import { Command, CommanderError } from "commander";
import { toPrecisError } from "../errors.js";
import { addAsk } from "./ask.js";
import { addDoctor } from "./doctor.js";
import { addEstimate } from "./estimate.js";
import { addExport } from "./export.js";
import { addModels } from "./models.js";
import { addSummarize } from "./summarize.js";
import { exitCodeOf, printError } from "./terminal.js";

async function main(): Promise<number> {
  let exitCode = 0;
  const exit = (code: number) => {
    exitCode = code;
  };
  const program = new Command("precis")
    .description("Summarises long documents on your own computer, inside a memory budget that you set.")
    .exitOverride();
  for (const add of [addSummarize, addAsk, addExport, addEstimate, addModels, addDoctor]) add(program, exit);
  try {
    await program.parseAsync();
  } catch (thrown) {
    // Commander has printed its own message; --help is one too.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
    const error = toPrecisError(thrown);
    printError(error);
    return exitCodeOf(error);
  }
  return exitCode;
}

// A reader of progress that goes away must not end the run.
process.stderr.on("error", () => {});
process.exitCode = await main();
