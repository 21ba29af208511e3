import type { Command } from "commander";
import { toPrecisError } from "../errors.js";
import { formatBytes } from "../format.js";
import { catalogue } from "../models/catalogue.js";
import { findModel, verifyModel } from "../models/models.js";
import { cancelOnSignals } from "./cancel.js";
import { ProgressView } from "./terminal.js";
import { quietOption } from "./usage.js";

export function addModels(program: Command): void {
  const models = program.command("models").description("the models that Precis knows");
  models
    .command("list", { isDefault: true })
    .description("each model of the catalogue and whether it is on this machine")
    .action(async () => {
      for (const model of catalogue.models) {
        const isDefault = model.id === catalogue.default ? ", default" : "";
        const facts = `${formatBytes(model.bytes)}, reads ${model.contextLength} tokens, ${model.licence}${isDefault}`;
        process.stdout.write(`${model.id}: ${facts}\n  ${await whereIs(model.id)}\n`);
      }
    });
  models
    .command("verify")
    .description("check every byte of a model's file")
    .argument("[id]", "a model of the catalogue", catalogue.default)
    .addOption(quietOption())
    .action(async (id: string, { quiet }: { quiet?: boolean }) => {
      const { signal } = cancelOnSignals();
      const view = ProgressView.for(quiet === true);
      const onProgress = (fraction: number) => view.update({ stage: "Verifying", fraction });
      try {
        const { path } = await verifyModel(id, { signal, onProgress });
        view.clear();
        process.stdout.write(`${id} is whole: ${path}\n`);
      } finally {
        view.clear();
      }
    });
}

/** Where a model lies, or in words why it cannot be used. */
async function whereIs(id: string): Promise<string> {
  try {
    return (await findModel(id)).path;
  } catch (thrown) {
    const { message, next } = toPrecisError(thrown);
    return next ? `${message} ${next}` : message;
  }
}
