/** The readings of one prompt, each made once and kept on disk: reading takes most of an evaluation's time. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import type { GroupReduction, LayerScores } from "../../core/compression/policy.js";
import type { KvType } from "../../core/engine/kv.js";
import { type Recording, record } from "../../core/engine/replay.js";
import type { DocumentSession } from "../../core/engine/session.js";
import type { Prompt } from "../../core/engine/types.js";
import { ours, policyOf, readerOf, readingOf, type Variant } from "./variants.js";

export interface ReadingDesk {
  readonly session: DocumentSession;
  /** Where readings are kept, some tens of MB each. */
  readonly folder: string;
  /** Model file and native code, exactly: what else a reading depends on. */
  readonly identity: string;
  /** Called before something that takes long; throws when there is no time left. */
  readonly before: (what: string) => void;
}

export class Readings {
  readonly #made = new Map<string, Recording>();

  constructor(
    private readonly desk: ReadingDesk,
    private readonly prompt: Prompt,
  ) {}

  /** All rows, stored in this type. */
  async rows(kvType: KvType): Promise<Recording> {
    return await this.#reading(this.prompt, readingOf(policyOf(ours)), kvType, true);
  }

  /**
   * What a variant is shown.
   * @param answer tokens of the full cache's answer, for those that are scored with its queries
   */
  async scores(variant: Variant, answer: () => Promise<Uint32Array>): Promise<readonly LayerScores[]> {
    const { prompt } = this;
    const reduction = readingOf(policyOf(variant));
    if (variant.queries === "window") {
      // the rows come with the reading that our default needs
      const rows = reduction === readingOf(policyOf(ours));
      return (await this.#reading(prompt, reduction, "f16", rows)).scores;
    }
    const window = await answer();
    const longer = { ...prompt, tokens: Uint32Array.from([...prompt.tokens, ...window]), windowTokens: window.length };
    const { scores } = await this.#reading(longer, reduction, "f16", false);
    return scores.map(({ layer, scores }) => ({ layer, scores: firstColumns(scores, prompt) }));
  }

  async #reading(prompt: Prompt, reduction: GroupReduction, kvType: KvType, rows: boolean): Promise<Recording> {
    const { session, folder, identity, before } = this.desk;
    const reader = readerOf(reduction);
    const name = createHash("sha256")
      .update(JSON.stringify([identity, reduction, reader.needs, kvType, prompt.headTokens, prompt.windowTokens]))
      .update(prompt.tokens)
      .digest("hex")
      .slice(0, 32);
    const known = this.#made.get(name);
    if (known) return known;

    const path = join(folder, `${name}.reading`);
    let recording: Recording;
    if (existsSync(path)) {
      recording = deserialize(readFileSync(path)) as Recording;
    } else {
      before(`reading ${prompt.tokens.length} tokens (${reduction}, ${kvType})`);
      const whole = await record(session, prompt, reader, { kvType });
      recording = rows ? whole : { ...whole, layers: [] };
      mkdirSync(folder, { recursive: true });
      writeFileSync(`${path}.part`, serialize(recording));
      renameSync(`${path}.part`, path);
    }
    this.#made.set(name, recording);
    return recording;
  }
}

/** Of scores over the whole prompt those of what lies before its window, per KV head. */
function firstColumns(scores: Float32Array, { tokens, windowTokens }: Prompt): Float32Array {
  const heads = scores.length / tokens.length;
  const before = tokens.length - windowTokens;
  const cut = new Float32Array(heads * before);
  for (let head = 0; head < heads; head++) {
    cut.set(scores.subarray(head * tokens.length, head * tokens.length + before), head * before);
  }
  return cut;
}
