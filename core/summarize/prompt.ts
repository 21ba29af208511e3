/**
 * The words around a document. The instruction comes AFTER the document, and all of it is the observation window: what
 * it attends to is what the KV cache keeps. Both parts stay short because they count inside every layer's budget, and
 * plain because small models follow one simple sentence better than a list of rules.
 */
import type { Engine, Prompt } from "../engine/types.js";
import type { AnswerLength, RunOptions } from "./options.js";

const SYSTEM = "You are a careful reader. Use only facts from the document.";

const SUMMARIES: Readonly<Record<AnswerLength, string>> = {
  short: "Summarize the document above in two or three sentences.",
  medium: "Summarize the document above in two paragraphs. Give the main points, figures and conclusions.",
  long: "Summarize the document above in detail, in several paragraphs. Give all main points, figures and conclusions.",
};

const ANSWERS: Readonly<Record<AnswerLength, string>> = {
  short: "Answer the question from the document above in one or two sentences.",
  medium: "Answer the question from the document above in one paragraph.",
  long: "Answer the question from the document above in detail.",
};

/** The most tokens that an answer of each length may take. */
export const maxAnswerTokens: Readonly<Record<AnswerLength, number>> = { short: 120, medium: 300, long: 700 };

type PromptOptions = Pick<RunOptions, "length" | "language" | "question">;

/** The instruction that follows the document. */
export function instruction(options: PromptOptions): string {
  const language = options.language ? ` Write in ${options.language}.` : "";
  if (options.question === undefined) return SUMMARIES[options.length] + language;
  return `${ANSWERS[options.length]}${language}\nQuestion: ${options.question.trim()}`;
}

/** The whole prompt in the model's own chat template. */
export function buildPrompt(engine: Engine, documentText: string, options: PromptOptions): Prompt {
  return engine.chatPrompt({
    system: SYSTEM,
    before: "Document:\n\n",
    document: documentText,
    after: `\n\n${instruction(options)}`,
  });
}

/** Tokens that a summary's prompt takes beside the document, at most, whatever its length and (usual) language. */
export function promptOverhead(engine: Engine): number {
  const lengths = Object.keys(SUMMARIES) as AnswerLength[];
  const language = "Brazilian Portuguese";
  return Math.max(...lengths.map((length) => buildPrompt(engine, "", { length, language }).tokens.length));
}
