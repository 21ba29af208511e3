/** Every setting with its name, one sentence and the words that find it; how each is set. */
import { type Settings, type SettingsChange, settingsSchema, zooms } from "../../electron/contract.js";
import { languages, lengths, styles } from "./choices.js";

export type Control =
  | {
      readonly kind: "choice";
      readonly labels: readonly string[];
      /** Index of the label; -1 when the value is none of them. */
      chosen(settings: Settings): number;
      change(index: number): SettingsChange;
    }
  | {
      readonly kind: "number";
      readonly unit: string;
      readonly min: number;
      readonly max: number;
      readonly step: number;
      value(settings: Settings): number;
      change(value: number): SettingsChange;
    }
  | {
      readonly kind: "text";
      readonly placeholder: string;
      value(settings: Settings): string;
      /** Or what is wrong with it. */
      change(value: string): SettingsChange | string;
    }
  /** Set in a view of its own. */
  | { readonly kind: "view"; readonly label: string; readonly view: "models" | "scan-languages" };

export interface Setting {
  readonly id: string;
  readonly group: string;
  readonly name: string;
  readonly sentence: string;
  /** What else people call it. */
  readonly words: string;
  readonly control: Control;
}

export const settings: readonly Setting[] = [
  {
    id: "theme",
    group: "Appearance",
    name: "Light or dark",
    sentence: "The colours of the window: as the system has them, or always the same.",
    words: "theme mode night colour color appearance",
    control: choice("theme", [
      ["system", "As the system"],
      ["light", "Light"],
      ["dark", "Dark"],
    ]),
  },
  {
    id: "contrast",
    group: "Appearance",
    name: "High contrast",
    sentence: "Text and lines in the strongest colours, light or dark.",
    words: "accessibility theme colour color vision readable",
    control: choice("contrast", [
      ["system", "As the system"],
      ["more", "Always"],
    ]),
  },
  {
    id: "motion",
    group: "Appearance",
    name: "Less motion",
    sentence: "Nothing in the window moves or fades.",
    words: "accessibility animation reduced transition",
    control: choice("motion", [
      ["system", "As the system"],
      ["less", "Always"],
    ]),
  },
  {
    id: "zoom",
    group: "Appearance",
    name: "Zoom",
    sentence: "How large everything in the window is.",
    words: "size scale font text larger smaller percent",
    control: choice(
      "zoom",
      zooms.map((zoom) => [zoom, `${Math.round(100 * zoom)} %`] as const),
    ),
  },
  {
    id: "share",
    group: "Summaries",
    name: "Memory for reading",
    sentence: "How much of the full cache the next summary may keep; the slider below a document sets the same.",
    words: "budget kv cache slider share percent default",
    control: {
      kind: "number",
      unit: "%",
      min: 1,
      max: 100,
      step: 0.1,
      value: ({ share }) => share,
      change: (share) => ({ share: Math.round(share * 10) / 10 }),
    },
  },
  {
    id: "length",
    group: "Summaries",
    name: "Length",
    sentence: "How long a summary is, unless you choose otherwise beside the document.",
    words: "short medium long default words",
    control: choice("length", lengths),
  },
  {
    id: "style",
    group: "Summaries",
    name: "Form",
    sentence: "Running text, a list, with sections, or chapter by chapter.",
    words: "style bullets executive chapters paragraph format default",
    control: choice("style", styles),
  },
  {
    id: "language",
    group: "Summaries",
    name: "Language of summaries",
    sentence: "Which language summaries and answers are written in.",
    words: "answer output translate translation",
    control: choice("language", [["", "The document's own"], ...languages.map((name) => [name, name] as const)]),
  },
  {
    id: "scan-languages",
    group: "Documents",
    name: "Languages of scanned pages",
    sentence: "Which languages the text of scanned pages is recognised in.",
    words: "ocr tesseract recognition scan scanned picture",
    control: { kind: "view", label: "Choose…", view: "scan-languages" },
  },
  {
    id: "model",
    group: "Models",
    name: "Model",
    sentence: "Which model reads and writes; more can be downloaded.",
    words: "download gguf llm language model choose delete",
    control: { kind: "view", label: "Models…", view: "models" },
  },
  {
    id: "proxy",
    group: "Models",
    name: "Proxy",
    sentence: "Downloads go through it; empty takes it from HTTPS_PROXY, where that is set.",
    words: "network internet connection firewall company http https",
    control: address("proxy", "http://proxy.example:3128"),
  },
  {
    id: "mirror",
    group: "Models",
    name: "Mirror",
    sentence: "Where models are downloaded from instead of huggingface.co.",
    words: "hugging face hub network internet address endpoint download source",
    control: address("mirror", "https://huggingface.co"),
  },
  {
    id: "cache",
    group: "Storage",
    name: "Room for saved caches",
    sentence:
      "What readings keep for questions takes this much at most; the longest unused goes first, and 0 keeps none.",
    words: "disk storage space limit folder gigabytes gib cache questions delete",
    control: {
      kind: "number",
      unit: "GiB",
      min: 0,
      max: 1_024,
      step: 1,
      value: ({ cacheGiB }) => cacheGiB,
      change: (cacheGiB) => ({ cacheGiB }),
    },
  },
];

/** Those that have all the words of a search, in the name, the sentence or what else they are called. */
export function findSettings(query: string): readonly Setting[] {
  const wanted = query.toLowerCase().split(/\s+/).filter(Boolean);
  return settings.filter(({ group, name, sentence, words }) => {
    const text = `${group} ${name} ${sentence} ${words}`.toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}

function choice<Key extends keyof Settings>(key: Key, options: readonly (readonly [Settings[Key], string])[]): Control {
  return {
    kind: "choice",
    labels: options.map(([, label]) => label),
    chosen: (current) => options.findIndex(([value]) => value === current[key]),
    change: (index) => ({ [key]: options[index]?.[0] }),
  };
}

function address(key: "proxy" | "mirror", placeholder: string): Control {
  return {
    kind: "text",
    placeholder,
    value: (current) => current[key],
    change: (value) => checked({ [key]: value.trim() }),
  };
}

/** A change, or why it cannot be made. */
function checked(change: SettingsChange): SettingsChange | string {
  const parsed = settingsSchema.partial().safeParse(change);
  return parsed.success ? change : (parsed.error.issues[0]?.message ?? "This cannot be set.");
}
