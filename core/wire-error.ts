import * as z from "zod";

/** The part of an error that crosses between threads and processes, and that is kept. */
export const wireErrorSchema = z.object({ code: z.string(), message: z.string(), next: z.string().optional() });
export type WireError = z.infer<typeof wireErrorSchema>;
