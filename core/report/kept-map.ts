import type { SummaryResult } from "../summarize/result.js";

/** A BMP file, which takes no compression and which browsers and word processors know alike. */
export interface Picture {
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** RGB of what is not kept at all, and of what is kept whole. */
const none = [243, 247, 247] as const;
const all = [11, 78, 82] as const;

/** What stands under the picture, and for it where it cannot be seen. */
export const keptMapWords =
  "Each row is a layer, from the first to the last; from left to right the text from its beginning to its end. The darker, the more of it was kept.";

/**
 * The map of what reading kept: a row of pixels for each layer, a column for each stretch of the text.
 * @returns undefined where that was not recorded
 */
export function keptMap({ retention, kv }: SummaryResult): Picture | undefined {
  const height = kv.layers.length;
  const width = retention?.columns ?? 0;
  const shares = Buffer.from(retention?.shares ?? "", "base64");
  if (shares.length === 0 || shares.length !== width * height) return undefined;
  const header = 14 + 40 + 4 * 256;
  const row = Math.ceil(width / 4) * 4;
  const file = Buffer.alloc(header + row * height);
  file.write("BM", "latin1");
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(header, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(width, 18);
  file.writeInt32LE(height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(8, 28);
  for (let share = 0; share < 256; share++) {
    const mixed = none.map((light, channel) => Math.round(light + ((all[channel] as number) - light) * (share / 255)));
    file.set(mixed.toReversed(), 54 + 4 * share);
  }
  // its rows stand from the lowest up
  for (let layer = 0; layer < height; layer++) {
    shares.copy(file, header + row * (height - 1 - layer), layer * width, (layer + 1) * width);
  }
  return { bytes: file, width, height };
}
