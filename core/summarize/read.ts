/** Reads one prompt, or takes up what an earlier reading of the same document has left. */
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import type { CacheStore } from "../engine/cache-store.js";
import { SavedCacheRefused } from "../engine/saved-cache.js";
import type { ModelInfo, Prompt, ReadingProgress, ReadingResult, Session } from "../engine/types.js";
import type { Plan } from "./plan.js";
import type { SummaryResult } from "./result.js";
import { savedCacheWords } from "./saved-cache.js";

export interface ReadHooks {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: ReadingProgress) => void;
  /** Where what reading left is kept for the next question about the same document; undefined: nowhere. */
  readonly caches?: CacheStore | undefined;
  /** Reads the document even where such a cache is saved. */
  readonly readAgain?: boolean | undefined;
  readonly threads?: number | undefined;
  readonly onKept?: ((positions: readonly Uint32Array[]) => void) | undefined;
  /** Takes sentences for the user. */
  readonly warnings: string[];
}

export interface Read extends ReadingResult {
  /** Of a cache that was taken up: whether the same was asked when it was saved, or something else. */
  readonly savedCache?: SummaryResult["savedCache"];
}

/** Takes up the cache saved at an earlier reading of the same document where there is one, and saves one otherwise. */
export async function readOrResume(
  session: Session,
  prompt: Prompt,
  plan: Plan,
  answerTokens: number,
  model: ModelInfo,
  { signal, onProgress, warnings, readAgain, threads, onKept, ...hooks }: ReadHooks,
): Promise<Read> {
  const { policy, budget, kvType, groupLayers } = plan;
  // the full cache is as large as the memory it would spare; what it holds is not compressed
  const caches = policy.keepsAll ? undefined : hooks.caches;
  const identity = caches && cacheIdentity(model, prompt, plan);
  if (caches && identity !== undefined) {
    const file = readAgain ? undefined : await caches.find(identity);
    if (file !== undefined) {
      try {
        const resumed = await session.resume(prompt, file, identity, { kvType, answerTokens, threads, onKept, signal });
        const savedCache = resumed.sameWindow ? "same" : "other";
        warnings.push(savedCacheWords[savedCache]);
        return { ...resumed, savedCache };
      } catch (error) {
        if (!(error instanceof SavedCacheRefused)) throw error;
        await caches.remove(identity);
        warnings.push(`The saved cache of this document was not used (${error.message}); the document was read again.`);
      }
    }
  }
  const reading = await session.read(prompt, {
    policy,
    budgetEntries: budget.entriesTotal,
    kvType,
    groupLayers,
    answerTokens,
    threads,
    onKept,
    signal,
    onProgress,
  });
  if (caches && identity !== undefined) {
    try {
      await caches.save(identity, (file) => session.save(file, identity));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      warnings.push(`The cache of this document could not be saved (${reason}): the next question reads it again.`);
    }
  }
  return reading;
}

/** Everything that decides what a saved cache holds, but the window: another question may be asked of it. */
function cacheIdentity(model: ModelInfo, prompt: Prompt, { policy, budget, kvType }: Plan): string {
  const before = prompt.tokens.subarray(0, prompt.tokens.length - prompt.windowTokens);
  return JSON.stringify({
    model: modelIdentity(model),
    document: digest(before),
    policy: { name: policy.name, version: 1 },
    budget: budget.requested,
    kvType,
  });
}

/** What tells models apart, in what is kept for a later run. A model that was replaced under the same name is another. */
export function modelIdentity({ id, path, weightsBytes, layers }: ModelInfo): object {
  const modified = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return { id, path, weightsBytes, layers, modified };
}

/** sha256 of a text or of tokens, in hexadecimal. */
export function digest(content: string | Uint32Array): string {
  const bytes =
    typeof content === "string" ? content : new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
  return createHash("sha256").update(bytes).digest("hex");
}
