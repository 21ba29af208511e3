/**
 * The words around a document. The instruction comes AFTER the document, and all of it is the observation window: what
 * it attends to is what the KV cache keeps. Both parts stay short because they count inside every layer's budget, and
 * plain because small models follow one simple sentence better than a list of rules.
 */
import type { Engine, Prompt } from "../engine/types.js";
import { type AnswerLength, lengthSchema, type RunOptions, type Style, styleSchema } from "./options.js";

const SYSTEM = "You are a careful reader. Use only facts from the document.";

type ByLength = Readonly<Record<AnswerLength, string>>;

const POINTS = "Give the main points, figures and conclusions.";

const SUMMARIES: Readonly<Record<Style, ByLength>> = {
  paragraph: {
    short: "Summarize the document above in two or three sentences.",
    medium: `Summarize the document above in two paragraphs. ${POINTS}`,
    long: "Summarize the document above in detail, in several paragraphs. Give all main points, figures and conclusions.",
  },
  bullets: {
    // asked for points, the default model writes titles
    short: 'Summarize the document above in three short sentences. Begin each sentence on a new line with "- ".',
    medium: `Summarize the document above in six sentences. ${POINTS} Begin each sentence on a new line with "- ".`,
    long: `Summarize the document above in twelve sentences. ${POINTS} Begin each sentence on a new line with "- ".`,
  },
  executive: {
    short: "Write an executive summary of the document above. Write one sentence under each of these headings:",
    medium: "Write an executive summary of the document above. Write a few sentences under each of these headings:",
    long: "Write an executive summary of the document above. Write a long paragraph under each of these headings:",
  },
  // one chapter each time
  chapters: {
    short: "Summarize the chapter above in one or two sentences.",
    medium: `Summarize the chapter above in one paragraph. ${POINTS}`,
    long: `Summarize the chapter above in two paragraphs. ${POINTS}`,
  },
};

/** The sections of an executive summary. */
const SECTIONS = ["Purpose", "Findings", "Conclusions"];

/** What is noted of a part, to be joined with what is noted of the others. */
const NOTES = `Summarize the document above in one paragraph. ${POINTS}`;

const ANSWERS: ByLength = {
  short: "Answer the question from the document above in one or two sentences.",
  medium: "Answer the question from the document above in one paragraph.",
  long: "Answer the question from the document above in detail.",
};

/** The most tokens that an answer of each length may take. */
export const maxAnswerTokens: Readonly<Record<AnswerLength, number>> = { short: 120, medium: 300, long: 700 };

export type PromptOptions = Pick<RunOptions, "length" | "style" | "focus" | "language" | "question">;

/**
 * What the model writes at a step: the answer itself, notes on one part that are joined with others', or the answer from
 * the summaries of several documents.
 */
export type Purpose = "answer" | "notes" | "together";

/** The instruction that follows the document. */
export function instruction(options: PromptOptions, purpose: Purpose = "answer"): string {
  const { length, style = "paragraph", focus, question } = options;
  // notes stay in the document's language: translating once, at the end, loses less
  const language = options.language && purpose !== "notes" ? ` Write in ${options.language}.` : "";
  if (question !== undefined) return `${ANSWERS[length]}${language}\nQuestion: ${question.trim()}`;
  const asked = focus === undefined ? "" : `\nDwell on this: ${focus.trim()}`;
  if (purpose === "notes") return NOTES + asked;
  const sections = style === "executive" ? SECTIONS.map((section) => `\n## ${section}`).join("") : "";
  const summary = SUMMARIES[style][length];
  if (purpose === "answer") return summary + language + sections + asked;
  const several = summary.replace("the document above", "the documents above together");
  return `${several} Name the document that each fact comes from.${language}${sections}${asked}`;
}

/** The whole prompt in the model's own chat template. */
export function buildPrompt(engine: Engine, documentText: string, options: PromptOptions, purpose?: Purpose): Prompt {
  return engine.chatPrompt({
    system: SYSTEM,
    before: "Document:\n\n",
    document: documentText,
    after: `\n\n${instruction(options, purpose)}`,
  });
}

/** Tokens that a summary's prompt takes beside the document, at most, whatever its style, length and (usual) language. */
export function promptOverhead(engine: Engine): number {
  const language = "Brazilian Portuguese";
  const all = styleSchema.options.flatMap((style) =>
    lengthSchema.options.map((length) => ({ style, length, language })),
  );
  return Math.max(...all.map((options) => buildPrompt(engine, "", options).tokens.length));
}

/** What an answer of a style consists of, and how each piece begins. */
interface Form {
  readonly item: RegExp;
  /** Of the pieces that there must be. No space at the end: tokens begin with theirs. */
  readonly openings: readonly string[];
  readonly between: string;
}

const FORMS: Partial<Record<Style, Form>> = {
  bullets: { item: /^\s*(?:[-*•]|\d+[.)])\s/gm, openings: ["-", "-"], between: "\n" },
  executive: {
    item: /^(?:#+\s|\*\*).+/gm,
    openings: SECTIONS.map((section) => `## ${section}\n`),
    between: "\n\n",
  },
};

/**
 * What is written for the model, which then keeps to the form that its style asks for: how the answer begins and, where it
 * ends before all of its pieces are there, how the next one does.
 * @param text what is written so far
 * @param led how many pieces were begun for the model so far
 * @returns undefined when nothing is missing
 */
export function nextOpening(options: PromptOptions, purpose: Purpose, text: string, led: number): string | undefined {
  const { style, question } = options;
  const form = style && question === undefined && purpose !== "notes" ? FORMS[style] : undefined;
  const next = form?.openings[Math.max(led, text.match(form.item)?.length ?? 0)];
  if (!form || next === undefined || text === "") return next;
  const ended = text.length - text.trimEnd().length;
  return form.between.slice(Math.min(ended, form.between.length)) + next;
}

/** Whether an answer has the form that its style asks for: small models do not always keep to it. */
export function keepsStyle(text: string, style: Style | undefined): boolean {
  const form = style && FORMS[style];
  return !form || (text.match(form.item)?.length ?? 0) >= form.openings.length;
}
