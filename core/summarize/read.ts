/** Reads one prompt, or takes up what an earlier reading of the same document has left. */
import { createHash, randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CacheStore } from "../engine/cache-store.js";
import { SavedCacheRefused } from "../engine/saved-cache.js";
import type { ModelInfo, Prompt, ReadingProgress, ReadingResult, ReadOptions, Session } from "../engine/types.js";
import { said } from "../said.js";
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
  /** The folder of whole caches that go when the answer is written; undefined: without `caches`, it follows none. */
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
  const { policy, budget, kvType, groupLayers, hiddenType, reaim, propagation } = plan;
  const how = { kvType, answerTokens, threads, onKept, signal };
  const chosen = { policy, budgetEntries: budget.entriesTotal };
  // the full cache is as large as the memory it would spare; what it holds is not compressed
  const caches = policy.keepsAll ? undefined : hooks.caches;
  const document = documentIdentity(model, prompt);
  const identity = cacheIdentity(document, plan);
  const wholeIdentity = wholeCacheIdentity(document, plan);
  const taken = async (of: string, take: (file: string) => Promise<Read>): Promise<Read | undefined> => {
    const file = readAgain ? undefined : await caches?.find(of);
    if (file === undefined) return undefined;
    try {
      const read = await take(file);
      if (read.savedCache) warnings.push(savedCacheWords[read.savedCache]);
      return read;
    } catch (error) {
      if (!(error instanceof SavedCacheRefused)) throw error;
      await caches?.remove(of);
      warnings.push(
        said`The saved cache of this document was not used (${error.message}); the document was read again.`,
      );
      return undefined;
    }
  };
  const takenWhole = () =>
    taken(wholeIdentity, async (file) => {
      const read = await session.takeWhole(prompt, file, wholeIdentity, { ...how, ...chosen });
      return { ...read, savedCache: "whole" };
    });
  const before =
    (reaim === "off" ? undefined : await takenWhole()) ??
    (await taken(identity, async (file) => {
      const resumed = await session.resume(prompt, file, identity, how);
      return { ...resumed, savedCache: resumed.sameWindow ? "same" : "other" };
    }));
  if (before) return before;

  const begun = reaim === "off" ? undefined : caches?.begin(wholeIdentity);
  const follows = reaim !== "off" && wholeFolder !== undefined;
  const path = begun ?? (follows ? join(wholeFolder, `${randomUUID()}.whole`) : undefined);
  // what is wrong with the folder is said when no file can be made there
  if (path !== undefined) await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch(() => {});
  try {
    const reading = await session.read(prompt, {
      ...how,
      ...chosen,
      groupLayers,
      hiddenType,
      propagation,
      onProgress,
      whole: path === undefined ? undefined : { path, kept: begun !== undefined },
      onWholeRefused: (reason) =>
        warnings.push(said`The cache did not follow the answer (${reason}): it keeps what the instruction looked at.`),
    });
    const saved = await saving(warnings, async () => {
      if (!caches || begun === undefined || !(await session.keepWhole(wholeIdentity))) return false;
      await caches.save(wholeIdentity, (file) => rename(begun, file));
      // one larger than the limit is not kept
      return (await caches.find(wholeIdentity)) !== undefined;
    });
    if (caches && !saved) {
      await saving(warnings, async () => {
        await caches.save(identity, (file) => session.save(file, identity));
        return true;
      });
    }
    return reading;
  } finally {
    // what is left is swept once this process has ended
    if (begun !== undefined) await rm(begun, { force: true }).catch(() => {});
  }
}

/** What cannot be saved costs no more than reading again. @returns what `save` does; false when it failed */
async function saving(warnings: string[], save: () => Promise<boolean>): Promise<boolean> {
  try {
    return await save();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    warnings.push(said`The cache of this document could not be saved (${reason}): the next question reads it again.`);
    return false;
  }
}

/** What was read, but the window: another question may be asked of it. */
function documentIdentity(model: ModelInfo, { tokens, windowTokens }: Prompt) {
  return { model: modelIdentity(model), document: digest(tokens.subarray(0, tokens.length - windowTokens)) };
}

/** And everything that decides what a saved cache holds of it. */
function cacheIdentity(document: object, { policy, budget, kvType, propagation }: Plan): string {
  return JSON.stringify({
    ...document,
    policy: { name: policy.name, version: 1 },
    budget: budget.requested,
    kvType,
    ...(propagation ? { reading: { name: propagation.name, version: 1 } } : {}),
  });
}

/**
 * A whole cache holds the same whatever is kept of it; but what is to be stored in q8_0 or q4_0 is turned beforehand, and hidden
 * states that waited in f16 have left their rounding in it.
 */
function wholeCacheIdentity(document: object, { kvType, hiddenType }: Plan): string {
  return JSON.stringify({ whole: 1, ...document, turned: kvType !== "f16", hiddenType });
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
