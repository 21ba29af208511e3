/**
 * What the window takes of core and of the settings: with electron/language.ts, all that it imports at run time of what is
 * not its own. Types come from the contract, whose checks only main makes.
 */
export { coverageStretches, type How, type Stretch, SURE } from "../core/documents/coverage.js";
export type { KvType } from "../core/engine/kv.js";
export { fullKvBytes } from "../core/estimate/estimate.js";
export { byteParts, durationParts } from "../core/format.js";
export { modelName } from "../core/models/name.js";
export { type Block, type Inline, proseOf } from "../core/report/prose.js";
export { defaultKvType, largestShare, planRun } from "../core/summarize/plan.js";
export { savedCacheWords } from "../core/summarize/saved-cache.js";
export { firstSettings, interfaceLanguages, isAddress, zooms } from "./first-settings.js";

/** Of lists and searches of the library: as many as a person looks through. */
export const mostListed = 50;
