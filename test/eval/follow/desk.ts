/** What the parts of `npm run eval -- follow` share. */
import { join } from "node:path";
import type { Policy } from "../../../core/compression/policy.js";
import { createPolicy, defaultPolicy } from "../../../core/compression/registry.js";
import type { KvType } from "../../../core/engine/kv.js";
import type { DocumentSession } from "../../../core/engine/session.js";
import type { Engine, Following, Prompt } from "../../../core/engine/types.js";
import { PrecisError } from "../../../core/errors.js";
import { defaultHiddenType, parseBudget } from "../../../core/estimate/estimate.js";
import type { Split } from "../benchmark.js";
import type { SourceDocument } from "../documents.js";

export interface FollowDesk {
  readonly engine: Engine;
  readonly session: DocumentSession;
  /** Where whole caches lie. */
  readonly folder: string;
  readonly documents: readonly SourceDocument[];
  readonly split: Split;
  readonly cases: number;
  /** How kept entries are stored. */
  readonly kvType: KvType;
  measure(text: string): number;
}

export type Say = (line: string) => void;

const policy = createPolicy(defaultPolicy);

let files = 0;
export const freshFile = ({ folder }: FollowDesk) => join(folder, `${files++}.whole`);

/** Reads all of a prompt, as an app without compression does. */
export async function readFully({ session }: FollowDesk, prompt: Prompt) {
  return await session.read(prompt, { policy: createPolicy("full"), budgetEntries: 0 });
}

const entriesOf = ({ engine, kvType }: FollowDesk, { tokens, headTokens, windowTokens }: Prompt, budget: string) =>
  parseBudget(budget, engine.model, tokens.length, headTokens + windowTokens, kvType).entriesTotal;

/** Whether a budget holds more than the instruction. */
export function fits(desk: FollowDesk, prompt: Prompt, budget: string): boolean {
  try {
    return entriesOf(desk, prompt, budget) > 0;
  } catch (error) {
    if (error instanceof PrecisError && error.code === "budget-too-small") return false;
    throw error;
  }
}

/** Reads into a budget with the default policy; `whole`: with the whole cache beside it, whose file stays when it is kept. */
export async function readInto(
  desk: FollowDesk,
  prompt: Prompt,
  budget: string,
  whole?: { readonly path: string; readonly kept: boolean },
) {
  return await desk.session.read(prompt, {
    policy,
    budgetEntries: entriesOf(desk, prompt, budget),
    kvType: desk.kvType,
    hiddenType: defaultHiddenType(desk.engine.model, prompt.tokens.length, whole !== undefined),
    whole,
    onWholeRefused: (reason) => {
      throw new Error(`no whole cache: ${reason}`);
    },
  });
}

/** The whole cache of an earlier reading, with another window. */
export async function take(desk: FollowDesk, prompt: Prompt, budget: string, file: string) {
  const budgetEntries = entriesOf(desk, prompt, budget);
  return await desk.session.takeWhole(prompt, file, "follow", { policy, budgetEntries, kvType: desk.kvType });
}

export function following(desk: FollowDesk, prompt: Prompt, budget: string, mode: Following["mode"]): Following {
  return { policy: policy.aimed as Policy, budgetEntries: entriesOf(desk, prompt, budget), mode };
}
