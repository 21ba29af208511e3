import * as z from "zod";
import { PrecisError } from "../errors.js";
import { type Answer, answerSchema, type SummaryResult, summaryResultSchema } from "../summarize/result.js";

/** Raised when a field of the result changes its meaning or goes; a new field alone does not raise it. */
const VERSION = 1;

const fileSchema = z.object({
  format: z.literal("precis-summary"),
  version: z.number().int().positive(),
});

const contentSchema = summaryResultSchema.extend({ answers: z.array(answerSchema).optional() });

/** The result, with what was asked about it, as a file that other programs, and `precis export`, can read again. */
export function summaryJson(result: SummaryResult, answers: readonly Answer[] = []): string {
  const asked = answers.length > 0 ? { answers } : {};
  return `${JSON.stringify({ format: "precis-summary", version: VERSION, ...result, ...asked }, null, 2)}\n`;
}

/**
 * What is in the text of such a file.
 * @param name the file's, for messages
 * @throws PrecisError file-type, file-damaged
 */
export function parseSummaryJson(text: string, name: string): { result: SummaryResult; answers: Answer[] } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new PrecisError("file-type", `"${name}" is no JSON file.`, "Name a file that --out FILE.json wrote.", {
      cause,
    });
  }
  const file = fileSchema.safeParse(value);
  if (!file.success) {
    throw new PrecisError(
      "file-type",
      `"${name}" holds no summary of Precis.`,
      "Name a file that --out FILE.json wrote.",
    );
  }
  if (file.data.version > VERSION) {
    throw new PrecisError("file-type", `"${name}" was written by a newer Precis.`, "Update Precis to read it.");
  }
  const content = contentSchema.safeParse(value);
  if (content.success) {
    const { answers = [], ...result } = content.data;
    return { result, answers };
  }
  const where = content.error.issues[0]?.path.join(".");
  throw new PrecisError("file-damaged", `"${name}" is damaged: its field "${where}" is wrong.`, "Get the file again.", {
    cause: content.error,
  });
}
