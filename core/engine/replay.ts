/**
 * The evaluation's way to read once and choose many times. Attention while reading is exact, whatever a policy keeps:
 * so one reading that keeps everything holds the scores and the rows of every policy and budget. A choice is then made
 * on the recorded scores and set up in a fresh context, as a saved cache is, without reading again. The product never
 * does this: it holds the whole cache.
 */
import type { LayerRetention, LayerScores, Policy } from "../compression/policy.js";
import { entryBytes, type KvType } from "./kv.js";
import type { LayerState } from "./native.js";
import type { DocumentSession } from "./session.js";
import { readingShape } from "./shape.js";
import type { Prompt, ReadingResult, ReadOptions, ResumedReading } from "./types.js";

/** Everything of one reading. Plain data: structured cloning keeps it whole. */
export interface Recording {
  readonly prompt: Prompt;
  readonly kvType: KvType;
  /** What the policy was shown, by layer. */
  readonly scores: readonly LayerScores[];
  /** f32 [vocabulary], after the prompt. */
  readonly logits: Float32Array;
  readonly slidingCells: Int32Array;
  /** Every layer with all its positions. */
  readonly layers: readonly LayerState[];
  readonly timings: ReadingResult["timings"];
}

/**
 * Reads a prompt and keeps all of it, with the scores as this policy asks for them.
 * @param policy one that drops entries; its own choice is not made
 */
export async function record(
  session: DocumentSession,
  prompt: Prompt,
  policy: Policy,
  options: Omit<ReadOptions, "policy" | "budgetEntries"> = {},
): Promise<Recording> {
  const scores: LayerScores[] = [];
  // all that the policy asks of native code goes through as it is
  const recorder: Policy = {
    ...policy,
    begin: ({ kvHeads, tokens, window }) => {
      const all = Uint32Array.from({ length: tokens - window }, (_, position) => position);
      const positions = Array.from({ length: kvHeads }, () => all);
      return {
        onGroup(group) {
          scores.push(...structuredClone(group));
          return group.map(({ layer }) => ({ layer, positions }));
        },
      };
    },
  };
  const { timings } = await session.read(prompt, { ...options, policy: recorder, budgetEntries: 0 });
  const { logits, slidingCells, layers, layer } = session.held();
  return {
    prompt,
    kvType: options.kvType ?? "f16",
    scores,
    logits,
    slidingCells,
    layers: Array.from({ length: layers }, (_, index) => layer(index)),
    timings,
  };
}

/**
 * What a policy keeps in the end, by layer, when it is shown recorded scores one layer at a time, as the engine does.
 * @param scores of the prompt's own window, or others of the same shape
 * @throws PrecisError budget-too-small
 */
export function choose(
  model: DocumentSession["model"],
  prompt: Prompt,
  scores: readonly LayerScores[],
  policy: Policy,
  budgetEntries: number,
): LayerRetention[] {
  const run = policy.begin(readingShape(model, { ...prompt, tokens: prompt.tokens.length }, budgetEntries));
  const kept: LayerRetention[] = [];
  for (const one of scores) for (const retention of run.onGroup([one])) kept[retention.layer] = retention;
  return kept;
}

/** Sets a choice up in a session, where it is as if the prompt had been read with it. */
export async function replay(
  session: DocumentSession,
  recording: Recording,
  retention: readonly LayerRetention[],
  options: { readonly answerTokens?: number } = {},
): Promise<ResumedReading> {
  const { prompt, kvType, logits, slidingCells } = recording;
  const { model, fullLayers } = session;
  const headBytes = {
    key: entryBytes({ ...model, valueSize: 0 }, kvType),
    value: entryBytes({ ...model, keySize: 0 }, kvType),
  };
  const layers = [...recording.layers];
  for (const { layer, positions } of retention) {
    const index = fullLayers[layer] as number;
    layers[index] = gather(layers[index] as LayerState, positions, headBytes);
  }
  return await session.takeUp(
    prompt,
    {
      window: prompt.tokens.slice(-prompt.windowTokens),
      logits: async () => logits,
      slidingCells: async () => slidingCells,
      layer: async (layer) => layers[layer] as LayerState,
    },
    { kvType, ...options },
  );
}

/**
 * A layer with some of its positions, laid out as native code does: rows of all KV heads, or of one head after the other
 * when they keep different numbers.
 * @param whole holds all positions, so that a row is its position: K rows then V rows, each [kvHeads x bytes of a head],
 *   before the window and of the window
 * @param headBytes of one head in a K row and in a V row
 */
function gather(
  whole: LayerState,
  positions: readonly Uint32Array[],
  headBytes: { readonly key: number; readonly value: number },
): LayerState {
  const heads = positions.length;
  const kept = Uint32Array.from(positions, (list) => list.length);
  const apart = kept.some((count) => count !== kept[0]);
  const before = whole.kept[0] ?? 0;
  const wholeRows = whole.rows.length / ((headBytes.key + headBytes.value) * heads);
  const window = Array.from({ length: wholeRows - before }, (_, index) => before + index);
  const lists = positions.map((list) => [...list, ...window]);
  const entries = lists.reduce((sum, list) => sum + list.length, 0);
  const rows = new Uint8Array(entries * (headBytes.key + headBytes.value));
  let [from, to] = [0, 0];
  for (const bytes of [headBytes.key, headBytes.value]) {
    const stride = apart ? bytes : heads * bytes;
    for (const [head, list] of lists.entries()) {
      for (const [row, position] of list.entries()) {
        const start = from + (position * heads + head) * bytes;
        rows.set(whole.rows.subarray(start, start + bytes), to + row * stride + (apart ? 0 : head * bytes));
      }
      if (apart) to += list.length * bytes;
    }
    from += wholeRows * heads * bytes;
    if (!apart) to += entries * bytes;
  }
  return { kept, positions: Uint32Array.from(positions.flatMap((list) => [...list])), rows };
}
