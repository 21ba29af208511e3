import * as z from "zod";

/** How scanned pages are recognised: RecognitionOptions of ocr.ts, which says what the fields mean. */
export const recognitionSchema = z.object({
  languages: z.string().max(400).optional(),
  folder: z.string().max(4_096).optional(),
});
export type Recognition = z.infer<typeof recognitionSchema>;
