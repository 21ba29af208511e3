/** Options that several commands share, parsed and checked; a wrong one is a usage error (exit code 2). */
import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { defaultPolicy, policyNames } from "../compression/registry.js";
import { checkLanguages, type RecognitionOptions } from "../documents/ocr.js";
import { kvTypes } from "../engine/kv.js";
import { PrecisError } from "../errors.js";
import { defaultBudget, readBudget } from "../estimate/estimate.js";
import {
  type AnswerLength,
  leastPartTokens,
  lengthSchema,
  type RunOptions,
  readingModeSchema,
  reaimSchema,
  runOptionsSchema,
  styleSchema,
} from "../summarize/options.js";
import { defaultReaim } from "../summarize/plan.js";

export interface RunFlags extends ScanFlags {
  readonly budget?: string;
  readonly policy: string;
  readonly kvType?: string;
  readonly reading?: string;
  readonly reaim?: string;
  readonly groupLayers?: number;
  readonly gpuLayers?: number;
  readonly threads?: number;
  /** Of `ask` alone: false with --no-cache. */
  readonly cache?: boolean;
  readonly model?: string;
  readonly partTokens?: number;
  readonly length: AnswerLength;
  /** Of `summarize` alone, as the next two. */
  readonly style?: string;
  readonly focus?: string;
  readonly together?: boolean;
  readonly language?: string;
  readonly seed: number;
  readonly temperature: number;
  readonly out?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

function budgetOption(): Option {
  return new Option(
    "--budget <budget>",
    `memory for reading: a share of the full KV cache ("6.9%"), tokens per layer ("512") or bytes ("300MiB"); default ${defaultBudget}`,
  );
}

export function policyOption(): Option {
  return new Option("--policy <policy>", "what the KV cache keeps within the budget")
    .choices(policyNames)
    .default(defaultPolicy);
}

function kvTypeOption(): Option {
  return new Option(
    "--kv-type <type>",
    "how kept entries are stored: q8_0 and q4_0 keep 1.9 and 3.5 times as many in the same memory (default: q8_0, and f16 where the whole cache checks the answer or nothing is left out)",
  ).choices(kvTypes);
}

function readingOption(): Option {
  return new Option(
    "--reading <mode>",
    "thorough: every layer reads the whole text; fast: later layers read what matters most to earlier ones, in less than half of the time, and the cache does not follow the answer",
  )
    .choices(readingModeSchema.options)
    .default("thorough");
}

function reaimOption(): Option {
  return new Option(
    "--reaim <how>",
    `whether the whole cache, which lies on disk meanwhile, checks every word of the answer, or chooses once by a draft what is kept; default: ${defaultReaim} where it is possible`,
  ).choices(reaimSchema.options);
}

function groupLayersOption(): Option {
  return new Option(
    "--group-layers <number>",
    "layers read at a time: 1 holds the least memory; default: 1, and of a short document or on a GPU as many as are quicker",
  ).argParser(wholeNumberFrom(1, 1000));
}

function threadsOption(): Option {
  return new Option(
    "--threads <number>",
    "threads to compute with; default: as many as there are cores to spare",
  ).argParser(wholeNumberFrom(1, 512));
}

function partTokensOption(): Option {
  return new Option(
    "--part-tokens <number>",
    "tokens of a document read at a time, at most; default: as many as the model and the free memory allow",
  ).argParser(wholeNumberFrom(leastPartTokens, 10_000_000));
}

function gpuLayersOption(): Option {
  return new Option("--gpu-layers <number>", "layers on the GPU; default: as many as fit").argParser(
    wholeNumberFrom(0, 1000),
  );
}

function modelOption(): Option {
  return new Option("--model <id|path>", "a model of the catalogue or a GGUF file; default: the default model");
}

/** How scanned pages are recognised, for every command that reads documents. */
function addScanOptions(command: Command): Command {
  return command
    .option("--scan-languages <codes>", 'languages of scanned pages ("deu+eng"); default: eng')
    .option("--scan-data <folder>", "where Tesseract's data of those languages lies (CODE.traineddata)");
}

export interface ScanFlags {
  readonly scanLanguages?: string;
  readonly scanData?: string;
}

/** What the readers are told of scanned pages. @throws PrecisError usage when a language's data is missing */
export function recognitionOptions({ scanLanguages, scanData }: ScanFlags): RecognitionOptions {
  const options = { languages: scanLanguages, folder: scanData === undefined ? undefined : resolve(scanData) };
  checkLanguages(options);
  return options;
}

export function jsonOption(what = "print one JSON object per file instead of text"): Option {
  return new Option("--json", what);
}

export function quietOption(): Option {
  return new Option("--quiet", "no progress");
}

/** What is read, with which model, into how much memory: the options of `summarize`, `ask` and `estimate`. */
export function addReadingOptions(command: Command): Command {
  return addScanOptions(command)
    .addOption(budgetOption())
    .addOption(policyOption())
    .addOption(kvTypeOption())
    .addOption(readingOption())
    .addOption(reaimOption())
    .addOption(groupLayersOption())
    .addOption(partTokensOption())
    .addOption(threadsOption())
    .addOption(modelOption())
    .addOption(gpuLayersOption());
}

export function lengthOption(length: AnswerLength): Option {
  return new Option("--length <length>", "length of the answer").choices(lengthSchema.options).default(length);
}

/** What a summary looks like: the options of `summarize` and `estimate`. */
export function addSummaryOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--style <style>", "form of the summary: running text, a list, with sections, or chapter by chapter")
        .choices(styleSchema.options)
        .default("paragraph"),
    )
    .option("--focus <question>", "what to dwell on, as a question or in words: reading keeps what matters to it");
}

/** The options of `summarize` and `ask`. */
export function addRunOptions(command: Command, length: AnswerLength): Command {
  return addReadingOptions(command)
    .addOption(lengthOption(length))
    .option("--language <language>", 'language of the answer ("German"); default: the document\'s')
    .addOption(
      new Option("--seed <number>", "seed of the sampling").argParser(wholeNumberFrom(0, 0xffff_ffff)).default(0),
    )
    .addOption(
      new Option("--temperature <number>", "0 writes the likeliest answer, the same each time")
        .argParser(temperature)
        .default(0),
    )
    .option("--out <file>", "also write the answer to a file: .md, .html, .docx or .json")
    .addOption(jsonOption())
    .addOption(quietOption());
}

/** What the core is asked for. @throws PrecisError usage, budget-invalid */
export function runOptions(flags: RunFlags, question?: string): RunOptions {
  // Before the model is loaded for nothing.
  readBudget(budgetOf(flags));
  const parsed = runOptionsSchema.safeParse({
    budget: budgetOf(flags),
    policy: flags.policy,
    kvType: flags.kvType,
    reading: flags.reading,
    groupLayers: flags.groupLayers,
    reaim: flags.reaim,
    partTokens: flags.partTokens,
    threads: flags.threads,
    style: flags.style,
    focus: flags.focus,
    length: flags.length,
    language: flags.language,
    question,
    seed: flags.seed,
    temperature: flags.temperature,
  });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new PrecisError("usage", `${issue?.path.join(".")}: ${issue?.message}`);
}

/** The budget as asked for; a policy that keeps everything has no use for a smaller default. */
export function budgetOf(flags: Pick<RunFlags, "budget" | "policy">): string {
  return flags.budget ?? (flags.policy === "full" ? "100%" : defaultBudget);
}

function wholeNumberFrom(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d{1,10}$/.test(text) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}

function temperature(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text) || Number(text) > 5) throw new InvalidArgumentError("It must be from 0 to 5.");
  return Number(text);
}
