/** What a summary will take before it is started: in how many parts the documents are read, why, and how long. */
import * as z from "zod";
import type { SourceDocument } from "../documents/document.js";
import type { Engine } from "../engine/types.js";
import { PrecisError } from "../errors.js";
import { machineMemory } from "../estimate/machine.js";
import { wireErrorSchema } from "../wire-error.js";
import { expectedWork } from "./joining.js";
import type { RunOptions } from "./options.js";
import { whyOf } from "./outcome.js";
import { partsOf, planReading, type Reading, sourceOf } from "./reading.js";
import { addWork, noWork, type Speed, timeOf } from "./speed.js";

const count = z.number().int().nonnegative();

export const forecastSchema = z.object({
  /** How many are read; 0 when the documents cannot be read. */
  parts: count,
  /** Why there are several, as the end of a sentence that begins "because". */
  why: z.string().optional(),
  /** Why they cannot be read. */
  refusal: wireErrorSchema.optional(),
  /** Of reading and writing. */
  durationMs: z.number().nonnegative().optional(),
  warnings: z.array(z.string()),
  /** Of the machine, and what programs can still take of it. */
  memory: z.object({ totalBytes: count, availableBytes: count }),
});
export type Forecast = z.infer<typeof forecastSchema>;

/**
 * @param speedOf what the machine does in a millisecond, asked for only when the documents can be read
 * @throws PrecisError cancelled, and what `speedOf` throws
 */
export async function forecast(
  engine: Engine,
  documents: readonly SourceDocument[],
  options: RunOptions,
  speedOf: (text: string) => Promise<Speed>,
  signal?: AbortSignal,
): Promise<Forecast> {
  const memory = machineMemory();
  const { availableBytes } = memory;
  const readings: Reading[] = [];
  try {
    for (const document of documents) {
      const planning = { availableBytes, alone: documents.length === 1, signal };
      readings.push(await planReading(engine, sourceOf(engine, document), options, planning));
    }
  } catch (error) {
    if (!(error instanceof PrecisError) || error.code === "cancelled") throw error;
    const { code, message, next } = error;
    return { parts: 0, refusal: { code, message, next }, warnings: [], memory };
  }
  const work = [...expectedWork(engine, readings, options).values()].reduce(addWork, noWork);
  const parts = readings.flatMap(partsOf).length;
  return {
    parts,
    ...(parts > 1 ? { why: whyOf(readings) } : {}),
    durationMs: timeOf(work, await speedOf(readings[0]?.source.text ?? "")),
    warnings: [...new Set(readings.flatMap(({ warnings }) => warnings))],
    memory,
  };
}
