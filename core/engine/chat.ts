/** A prompt through the model's own chat template, in parts that retention can tell apart. */
import { type ChatWrapper, type LlamaModel, LlamaText, type Token } from "node-llama-cpp";
import type { Prompt } from "./types.js";

export interface PromptParts {
  readonly system: string;
  /** Said before the document. */
  readonly before: string;
  readonly document: string;
  /** The instruction after the document: the observation window begins here. */
  readonly after: string;
}

// Letters that no template treats and no document holds, so that the rendered template can be cut at the document.
const mark = "\u{F0000}document\u{F0001}";

/**
 * @returns the tokens of the whole prompt. Only the template's own marks become special tokens: text that looks like
 *   one inside the document or the instruction stays text.
 */
export function chatPrompt(model: LlamaModel, wrapper: ChatWrapper, parts: PromptParts): Prompt {
  const { contextText } = wrapper.generateContextState({
    chatHistory: [
      { type: "system", text: parts.system },
      { type: "user", text: `${parts.before}${mark}${parts.after}` },
      { type: "model", response: [""] },
    ],
  });
  const head: LlamaText["values"][number][] = [];
  const tail: LlamaText["values"][number][] = [];
  let seen = false;
  for (const value of contextText.values) {
    if (!seen && typeof value === "string" && value.includes(mark)) {
      const at = value.indexOf(mark);
      head.push(value.slice(0, at));
      tail.push(value.slice(at + mark.length));
      seen = true;
    } else {
      (seen ? tail : head).push(value);
    }
  }
  if (!seen) throw new Error("The chat template dropped the document.");

  const headTokens = startOf(model, LlamaText(head).tokenize(model.tokenizer));
  const documentTokens = model.tokenize(parts.document, false, "trimLeadingSpace");
  const tailTokens = LlamaText(tail).tokenize(model.tokenizer, "trimLeadingSpace");
  return {
    tokens: joined(headTokens, documentTokens, tailTokens),
    headTokens: headTokens.length,
    windowTokens: tailTokens.length,
  };
}

/** The beginning-of-text token where the model wants one and its template does not write it. */
function startOf(model: LlamaModel, head: Token[]): Token[] {
  const bos = model.tokens.bos;
  return model.tokens.shouldPrependBosToken && bos != null && head[0] !== bos ? [bos, ...head] : head;
}

function joined(...lists: readonly Token[][]): Uint32Array {
  return Uint32Array.from(lists.flat());
}
