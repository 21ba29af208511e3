/** The models that Precis knows by name: assets/models.json, validated. */
import { z } from "zod";
import data from "../../assets/models.json" with { type: "json" };

const modelSchema = z.object({
  /** What the user types after --model. */
  id: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
  name: z.string().min(1),
  /** File name in the models folder. */
  file: z.string().regex(/^[\w.-]+\.gguf$/),
  bytes: z.number().int().positive(),
  /** Of the whole file, in lower-case hexadecimal. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** SPDX identifier. */
  licence: z.string().min(1),
  /** Tokens. */
  contextLength: z.number().int().positive(),
  /** A Python package and the file inside it. */
  source: z.object({ kind: z.literal("pip"), package: z.string().min(1), member: z.string().min(1) }),
});
export type CatalogueModel = z.infer<typeof modelSchema>;

export const catalogueSchema = z
  .object({ default: z.string(), models: z.array(modelSchema).min(1) })
  .refine(({ models }) => new Set(models.map((model) => model.id)).size === models.length, "two models share an id")
  .refine((value) => value.models.some((model) => model.id === value.default), "the default is not in the catalogue");

export const catalogue = catalogueSchema.parse(data);

/** The entry with this id, or undefined. */
export function catalogueModel(id: string): CatalogueModel | undefined {
  return catalogue.models.find((model) => model.id === id);
}
