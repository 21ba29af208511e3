/** What can be set, and what it is at first. Pure and without the form's checks (electron/settings.ts), so that the window shares it. */
import type { Settings } from "./settings.js";

/** Those that the window has words in (electron/language.ts). */
export const interfaceLanguages = ["en", "de", "es", "fr", "ja", "zh-Hans"] as const;

/** Of a proxy or a mirror; "" is none. */
export const isAddress = (text: string): boolean =>
  text === "" || (text.length <= 500 && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol));

/** Zoom factors, as browsers have them. */
export const zooms = [0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2] as const;

export const firstSettings: Settings = {
  theme: "system",
  contrast: "system",
  motion: "system",
  zoom: 1,
  interfaceLanguage: "system",
  model: "",
  share: 25,
  policy: "dynamickv",
  kvType: undefined,
  reading: "thorough",
  reaim: "checked",
  groupLayers: undefined,
  threads: undefined,
  gpuLayers: undefined,
  seed: 1,
  length: "medium",
  style: "paragraph",
  together: false,
  language: "",
  scanLanguages: ["eng"],
  scanFolder: undefined,
  cacheGiB: 4,
  proxy: "",
  mirror: "",
};

/** The next larger (1) or smaller (-1) zoom. */
export function steppedZoom(zoom: number, direction: 1 | -1): number {
  const further = zooms.filter((other) => (other - zoom) * direction > 0.001);
  return (direction === 1 ? further[0] : further.at(-1)) ?? zoom;
}
