import { type Command, Option } from "commander";
import { PrecisError, toPrecisError } from "../errors.js";
import { formatBytes } from "../format.js";
import { addModel } from "../models/added.js";
import { catalogue, catalogueModel } from "../models/catalogue.js";
import { type DownloadProgress, downloadModel } from "../models/download.js";
import { deleteModel, findModel, type ListedModel, listModels, verifyModel } from "../models/models.js";
import { capacityOf } from "../summarize/capacity.js";
import { cancelOnSignals } from "./cancel.js";
import { ProgressView } from "./terminal.js";
import { jsonOption, quietOption } from "./usage.js";

export function addModels(program: Command): void {
  const models = program.command("models").description("the models that Precis knows, and those that you added");
  models
    .command("list", { isDefault: true })
    .description("each model: what it is, what this machine can read with it, and whether it is here")
    .addOption(jsonOption("print one JSON array"))
    .action(async ({ json }: { json?: boolean }) => {
      const listed = await listModels();
      const available = process.availableMemory();
      const reports = listed.map((model) => ({ ...model, reads: capacityOf(model, available) }));
      process.stdout.write(json ? `${JSON.stringify(reports)}\n` : reports.map(lines).join(""));
    });
  models
    .command("download")
    .description("fetch a model of the catalogue; Ctrl+C pauses, and the same command goes on")
    .argument("<id>", "a model of the catalogue")
    .addOption(new Option("--proxy <address>", "default: HTTPS_PROXY, HTTP_PROXY and NO_PROXY"))
    .addOption(new Option("--mirror <address>", "another model hub than Hugging Face; default: HF_ENDPOINT"))
    .addOption(quietOption())
    .action(async (id: string, { proxy, mirror, quiet }: { proxy?: string; mirror?: string; quiet?: boolean }) => {
      const model = catalogueModel(id);
      if (!model) throw unknown(id);
      if (await isHere(id)) {
        process.stdout.write(`${id} is here already.\n`);
        return;
      }
      const path = await watched(quiet, (signal, view) =>
        downloadModel(model, {
          network: { proxy, mirror },
          signal,
          onProgress: (progress) => view.update(line(progress)),
        }),
      );
      process.stdout.write(`${id} is here, and its sha256 is right: ${path}\n`);
    });
  models
    .command("add")
    .description("put a GGUF file of your own into the list, under its name; it stays where it is")
    .argument("<file>", "a model in GGUF format")
    .action(async (file: string) => {
      const { inspectModel } = await import("../engine/inspect.js");
      const { id, architecture, contextLength } = await addModel(file, inspectModel);
      process.stdout.write(`${id} is in the list (${architecture}, reads ${contextLength} tokens): --model ${id}\n`);
    });
  models
    .command("verify")
    .description("check every byte of a model's file")
    .argument("[id]", "a model of the catalogue", catalogue.default)
    .addOption(quietOption())
    .action(async (id: string, { quiet }: { quiet?: boolean }) => {
      const { path } = await watched(quiet, (signal, view) =>
        verifyModel(id, { signal, onProgress: (fraction) => view.update({ stage: "Verifying", fraction }) }),
      );
      process.stdout.write(`${id} is whole: ${path}\n`);
    });
  models
    .command("delete")
    .description("delete a model's file, or take an added one out of the list")
    .argument("<id>", "a model of the list")
    .action(async (id: string) => {
      process.stdout.write(`${await deleteModel(id)}\n`);
    });
}

/** Work that Ctrl+C stops and whose progress is shown. */
async function watched<T>(
  quiet: boolean | undefined,
  work: (signal: AbortSignal, view: ProgressView) => Promise<T>,
): Promise<T> {
  const view = ProgressView.for(quiet === true);
  try {
    return await work(cancelOnSignals().signal, view);
  } finally {
    view.clear();
  }
}

function line({ stage, bytes, totalBytes, remainingMs }: DownloadProgress) {
  const words = stage === "receiving" ? `Receiving ${formatBytes(totalBytes)}` : "Checking";
  return { stage: words, fraction: bytes / totalBytes, remainingMs };
}

async function isHere(id: string): Promise<boolean> {
  try {
    await findModel(id);
    return true;
  } catch (thrown) {
    if (toPrecisError(thrown).code === "model-missing" || toPrecisError(thrown).code === "model-damaged") return false;
    throw thrown;
  }
}

function unknown(id: string): PrecisError {
  const known = catalogue.models.map((model) => model.id).join(", ");
  return new PrecisError("usage", `The catalogue has no model "${id}".`, `It has: ${known}.`);
}

function lines(model: ListedModel & { readonly reads: ReturnType<typeof capacityOf> }): string {
  const { reads } = model;
  const size = `${model.exact ? "" : "about "}${formatBytes(model.bytes)}`;
  const facts = [size, `${model.contextLength} tokens of context`, model.licence, languageWords(model)];
  const capacity =
    reads.tokens === 0
      ? `does not fit the ${formatBytes(process.availableMemory())} that are free now`
      : `reads about ${reads.pages} pages in one go on this machine`;
  return (
    `${model.id}${model.isDefault ? " (default)" : ""}: ${facts.filter(Boolean).join(", ")}\n` +
    `  ${capacity}\n  ${whereWords(model)}\n`
  );
}

const languageWords = ({ languages, moreLanguages }: ListedModel): string =>
  languages.length === 0 ? "" : `${languages.join(" ")}${moreLanguages ? " and more" : ""}`;

function whereWords({ id, state, path, problem, receivedBytes, bytes, downloadable }: ListedModel): string {
  if (state === "ready") return path;
  if (state === "damaged") return problem ?? path;
  if (state === "begun") {
    const share = Math.floor((100 * receivedBytes) / bytes);
    return `${share} % downloaded; \`precis models download ${id}\` goes on`;
  }
  return `not on this machine: ${downloadable ? `\`precis models download ${id}\`` : "`npm run setup`"}`;
}
