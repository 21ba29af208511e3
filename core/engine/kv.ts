/** Sizes of KV entries: pure arithmetic, no Node imports. */

/** How kept entries are stored (ggml's types). While a layer is read its KV is f16 whatever this says. */
export const kvTypes = ["f16", "q8_0", "q4_0"] as const;
export type KvType = (typeof kvTypes)[number];

/** How hidden states wait between two groups of layers: f16 (half the bytes) or f32 (reading is bit-identical to plain reading). */
export type HiddenType = "f16" | "f32";

/** Bytes of 32 elements: q8_0 and q4_0 are blocks of 32 with one f16 scale (ggml-common.h). */
const blockBytes: Readonly<Record<KvType, number>> = { f16: 64, q8_0: 34, q4_0: 18 };

/** Bytes of one entry: the K and the V row of one KV head at one position. */
export function entryBytes(
  model: { readonly keySize: number; readonly valueSize: number },
  type: KvType = "f16",
): number {
  return ((model.keySize + model.valueSize) / 32) * blockBytes[type];
}
