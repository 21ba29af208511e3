/** The form of everything that the user sets once. */
import * as z from "zod";
import {
  kvTypeSchema,
  lengthSchema,
  policySchema,
  readingModeSchema,
  reaimSchema,
  runOptionsSchema,
  styleSchema,
} from "../core/summarize/options.js";
import { interfaceLanguages, isAddress } from "./first-settings.js";

const address = z.string().refine(isAddress);

export const settingsSchema = z.object({
  theme: z.enum(["system", "light", "dark"]),
  contrast: z.enum(["system", "more"]),
  motion: z.enum(["system", "less"]),
  zoom: z.number().min(0.5).max(3),
  interfaceLanguage: z.enum(["system", ...interfaceLanguages]),
  /** A catalogue id, an added model's id or a path; "" is the default model. */
  model: z.string().max(4_096),
  /** Memory for reading in percent of the full cache, one decimal. */
  share: z.number().min(1).max(100),
  policy: policySchema,
  /** How kept entries are stored; undefined: as Precis chooses. */
  kvType: kvTypeSchema.optional(),
  reading: readingModeSchema,
  reaim: reaimSchema,
  /** Layers read at a time, and threads to compute with; undefined: as Precis chooses. */
  groupLayers: runOptionsSchema.shape.groupLayers,
  threads: runOptionsSchema.shape.threads,
  /** Layers on the GPU; undefined: as many as fit. */
  gpuLayers: z.number().int().min(0).max(1_000).optional(),
  seed: runOptionsSchema.shape.seed,
  length: lengthSchema,
  style: styleSchema,
  /** Whether several chosen documents become one summary. */
  together: z.boolean(),
  /** Language of summaries in words ("German"); "" is the document's own. */
  language: z.string().max(64),
  /** Tesseract's codes of the languages that scanned pages are recognised in. */
  scanLanguages: z.array(z.string().min(1).max(32)).min(1).max(40).readonly(),
  /** Where the data of languages other than English lies. */
  scanFolder: z.string().max(4_096).optional(),
  /** GiB that saved caches take together at most; 0 keeps none. */
  cacheGiB: z.number().min(0).max(1_024),
  /** "" takes them from the environment. */
  proxy: address,
  mirror: address,
});
export type Settings = z.infer<typeof settingsSchema>;

export const settingsChangeSchema = settingsSchema.partial();
export type SettingsChange = z.infer<typeof settingsChangeSchema>;
