/** Models that the user added by their files, which stay where they are: a list in the models folder. */
import { mkdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import * as z from "zod";
import { PrecisError } from "../errors.js";
import { said } from "../said.js";
import { writeFileAtomically } from "../write.js";
import { catalogueModel, shapeSchema } from "./catalogue.js";
import { readJson, startsAsGguf } from "./files.js";
import { modelsFolder } from "./paths.js";

/** What a model's file says of itself. */
export const modelFactsSchema = z.object({
  architecture: z.string(),
  /** In the file's own words; may be missing. */
  name: z.string().optional(),
  licence: z.string().optional(),
  contextLength: z.number().int().positive(),
  bytes: z.number().int().positive(),
  shape: shapeSchema,
});
export type ModelFacts = z.infer<typeof modelFactsSchema>;

const addedSchema = modelFactsSchema.extend({ id: z.string().min(1), path: z.string().min(1) });
export type AddedModel = z.infer<typeof addedSchema>;

const listFile = () => join(modelsFolder(), "added.json");

/** In the order in which they were added; a damaged list is an empty one, since the models themselves lie elsewhere. */
export async function addedModels(): Promise<AddedModel[]> {
  return (await readJson(listFile(), z.array(addedSchema))) ?? [];
}

/**
 * Adds a GGUF file; one that is in the list already is looked at anew.
 * @param inspect what the file says of itself, and whether it is whole (core/engine/inspect.ts); it may trust the header
 * @throws PrecisError file-missing, model-damaged, and what `inspect` throws
 */
export async function addModel(file: string, inspect: (path: string) => Promise<ModelFacts>): Promise<AddedModel> {
  const path = resolve(file);
  if (!(await startsAsGguf(path))) {
    throw new PrecisError(
      "model-damaged",
      said`"${basename(path)}" is not a GGUF model: its first bytes are something else.`,
      said`Choose a file whose name ends in .gguf, or download it again.`,
    );
  }
  const facts = await inspect(path);
  const others = (await addedModels()).filter((model) => model.path !== path);
  const added = { ...facts, id: freeId(path, others), path };
  await mkdir(modelsFolder(), { recursive: true });
  await writeFileAtomically(listFile(), JSON.stringify([...others, added]));
  return added;
}

/** Takes a model out of the list; its file stays. */
export async function forgetAdded(id: string): Promise<void> {
  const rest = (await addedModels()).filter((model) => model.id !== id);
  await writeFileAtomically(listFile(), JSON.stringify(rest));
}

/** The file's name without its ending, and with a number where that is taken. */
function freeId(path: string, others: readonly AddedModel[]): string {
  const name = basename(path).replace(/\.gguf$/i, "");
  const taken = (id: string) => catalogueModel(id) !== undefined || others.some((model) => model.id === id);
  let id = name;
  for (let number = 2; taken(id); number++) id = `${name}-${number}`;
  return id;
}
