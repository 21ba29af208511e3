/** Reads one prompt, or takes up what an earlier reading of the same document has left. */
import { createHash, randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { CacheStore } from "../engine/cache-store.js";
import { SavedCacheRefused } from "../engine/saved-cache.js";
import type { ModelInfo, Prompt, ReadingProgress, ReadingResult, ReadOptions, Session } from "../engine/types.js";
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
  readonly onKept?: ReadOptions["onKept"];
  /** Where whole caches are kept, for the same; undefined: a whole cache goes when the answer is written. */
  readonly wholes?: CacheStore | undefined;
  /** The folder of whole caches that go; undefined: the cache does not follow the answer. */
  readonly wholeFolder?: string | undefined;
  /** Takes sentences for the user. */
  readonly warnings: string[];
}

export interface Read extends ReadingResult {
  /** Of a cache that was taken up: whether the same was asked when it was saved, or something else. */
  readonly savedCache?: SummaryResult["savedCache"];
}

/**
 * Takes up what an earlier reading of the same document has saved where there is something, the whole cache first, and saves
 * something otherwise.
 */
export async function readOrResume(
  session: Session,
  prompt: Prompt,
  plan: Plan,
  answerTokens: number,
  model: ModelInfo,
  { signal, onProgress, warnings, readAgain, threads, onKept, wholeFolder, ...hooks }: ReadHooks,
): Promise<Read> {
  const { policy, budget, kvType, groupLayers, reaim, propagation } = plan;
  const how = { kvType, answerTokens, threads, onKept, signal };
  const chosen = { policy, budgetEntries: budget.entriesTotal };
  // the full cache is as large as the memory it would spare; what it holds is not compressed
  const caches = policy.keepsAll ? undefined : hooks.caches;
  const wholes = reaim === "off" ? undefined : hooks.wholes;
  const identity = cacheIdentity(model, prompt, plan);
  const wholeIdentity = wholeCacheIdentity(model, prompt, plan);
  const taken = async (
    store: CacheStore | undefined,
    of: string,
    take: (file: string) => Promise<Read>,
  ): Promise<Read | undefined> => {
    const file = readAgain ? undefined : await store?.find(of);
    if (store === undefined || file === undefined) return undefined;
    try {
      const read = await take(file);
      if (read.savedCache) warnings.push(savedCacheWords[read.savedCache]);
      return read;
    } catch (error) {
      if (!(error instanceof SavedCacheRefused)) throw error;
      await store.remove(of);
      warnings.push(`The saved cache of this document was not used (${error.message}); the document was read again.`);
      return undefined;
    }
  };
  const before =
    (await taken(wholes, wholeIdentity, async (file) => {
      const read = await session.takeWhole(prompt, file, wholeIdentity, { ...how, ...chosen });
      return { ...read, savedCache: "whole" };
    })) ??
    (await taken(caches, identity, async (file) => {
      const resumed = await session.resume(prompt, file, identity, how);
      return { ...resumed, savedCache: resumed.sameWindow ? "same" : "other" };
    }));
  if (before) return before;

  const begun = await wholes?.begin(wholeIdentity);
  const follows = reaim !== "off" && wholeFolder !== undefined;
  if (follows) await mkdir(wholeFolder, { recursive: true, mode: 0o700 });
  const path = begun ?? (follows ? join(wholeFolder, `${randomUUID()}.whole`) : undefined);
  try {
    const reading = await session.read(prompt, {
      ...how,
      ...chosen,
      groupLayers,
      propagation,
      onProgress,
      whole: path === undefined ? undefined : { path, kept: begun !== undefined },
      onWholeRefused: (reason) =>
        warnings.push(`The cache did not follow the answer (${reason}): it keeps what the instruction looked at.`),
    });
    const saved = await saving(warnings, async () => {
      if (!wholes || begun === undefined || !(await session.keepWhole(wholeIdentity))) return false;
      await wholes.save(wholeIdentity, (file) => rename(begun, file));
      return true;
    });
    if (caches && !saved) {
      await saving(warnings, async () => {
        await caches.save(identity, (file) => session.save(file, identity));
        return true;
      });
    }
    return reading;
  } finally {
    if (begun !== undefined) await rm(begun, { force: true });
  }
}

/** What cannot be saved costs no more than reading again. @returns what `save` does; false when it failed */
async function saving(warnings: string[], save: () => Promise<boolean>): Promise<boolean> {
  try {
    return await save();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    warnings.push(`The cache of this document could not be saved (${reason}): the next question reads it again.`);
    return false;
  }
}

/** Likewise of a whole cache, which holds the same whatever is kept of it. */
function wholeCacheIdentity(model: ModelInfo, prompt: Prompt, { kvType }: Plan): string {
  const before = prompt.tokens.subarray(0, prompt.tokens.length - prompt.windowTokens);
  // what is stored in q8_0 or q4_0 is turned beforehand
  return JSON.stringify({ whole: 1, model: modelIdentity(model), document: digest(before), turned: kvType !== "f16" });
}

/** Everything that decides what a saved cache holds, but the window: another question may be asked of it. */
function cacheIdentity(model: ModelInfo, prompt: Prompt, { policy, budget, kvType, propagation }: Plan): string {
  const before = prompt.tokens.subarray(0, prompt.tokens.length - prompt.windowTokens);
  return JSON.stringify({
    model: modelIdentity(model),
    document: digest(before),
    policy: { name: policy.name, version: 1 },
    budget: budget.requested,
    kvType,
    ...(propagation ? { reading: { name: propagation.name, version: 1 } } : {}),
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
