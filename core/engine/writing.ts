/** An answer is written: on what is kept, or on the whole cache that lies beside it, which may check drafts. */
import { DraftPace } from "./draft-pace.js";
import type { NativeSession } from "./native.js";
import type { Following, GenerateOptions, Generation } from "./types.js";

export interface WritingOn {
  /** Whether the whole cache lies beside what is kept. */
  readonly whole: boolean;
  /** Has what is kept chosen anew by a draft, once. */
  readonly lookAhead: (follow: Following) => Promise<void>;
}

/** @param options of Session.generate() */
export async function writeAnswer(
  native: NativeSession,
  options: Omit<GenerateOptions, "signal">,
  { whole, lookAhead }: WritingOn,
): Promise<Generation> {
  const { begin, sampling, maxTokens, onText } = options;
  const follow = whole ? options.follow : undefined;
  const started = performance.now();
  let firstTokenMs = 0;
  let text = "";
  const pass = (piece: string) => {
    if (piece === "") return;
    if (text === "") firstTokenMs = performance.now() - started;
    text += piece;
    onText?.(piece);
  };
  // pieces still on their way when the promise settles are passed on here, once
  const written = async <T extends { readonly text: string }>(
    part: (onText: (piece: string) => void) => Promise<T>,
  ) => {
    const before = text.length;
    let open = true;
    const outcome = await part((piece) => {
      if (open) pass(piece);
    });
    pass(outcome.text.slice(text.length - before));
    open = false;
    return outcome;
  };

  if (begin && begin.length > 0) await native.feed(begin);
  if (follow?.mode === "draft") await lookAhead(follow);
  let [tokens, ended, drafted, confirmed] = [0, false, 0, 0];
  if (follow?.mode === "checked") {
    const pace = follow.pace ?? new DraftPace();
    while (!ended && tokens < maxTokens) {
      const draft = pace.next();
      // where the whole cache writes alone, nobody needs what is kept
      if (draft > 1) await lookAhead(follow);
      if (!native.hasWhole()) break;
      const since = performance.now();
      const asked = { ...sampling, maxTokens: maxTokens - tokens, stretch: pace.stretch, draft, goOn: tokens > 0 };
      const part = await written((onPiece) => native.writeChecked(asked, onPiece));
      pace.took(draft, part.tokens, performance.now() - since);
      tokens += part.tokens;
      ended = part.ended;
      if (draft > 1) {
        drafted += part.drafted;
        confirmed += part.tokens;
      }
    }
  }
  if (!ended && tokens < maxTokens) {
    const asked = { ...sampling, maxTokens: maxTokens - tokens, goOn: tokens > 0 };
    const part = await written((onPiece) => native.write(asked, onPiece));
    tokens += part.tokens;
    ended = part.ended;
  }
  return {
    text,
    tokens,
    stopped: ended ? "end" : "max-tokens",
    peakKvBytes: native.peakBytes(),
    firstTokenMs,
    decodeMs: performance.now() - started,
    drafted,
    confirmed,
  };
}
