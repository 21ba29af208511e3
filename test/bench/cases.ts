/** What `npm run bench` measures: who reads, which model, how much. */
import type { KvType } from "../../core/engine/kv.js";
import type { ReadingMode } from "../../core/summarize/options.js";
import type { ShapeName } from "../support/shapes.js";

/** One way of reading a document. */
export interface Side {
  readonly id: string;
  readonly label: string;
  /** "stock" is unmodified node-llama-cpp; otherwise one of our policies. */
  readonly policy: string;
  /** Share of the full f16 cache, in bytes: with smaller entries more of them are kept. */
  readonly budget: string;
  readonly kvType: KvType;
  /** Layers read at a time; one when left out. */
  readonly groupLayers?: number;
  /** Thorough when left out. */
  readonly reading?: ReadingMode | undefined;
}

const side = (policy: string, budget: string, kvType: KvType, groupLayers?: number, reading?: ReadingMode): Side => ({
  id: [
    policy,
    ...(budget === "100%" ? [] : [budget.slice(0, -1)]),
    ...(policy === "full" ? [] : [kvType]),
    ...(groupLayers ? [`${groupLayers}-layers`] : []),
    ...(reading ? [reading] : []),
  ].join("-"),
  label: [
    policy === "stock" ? "stock node-llama-cpp" : `precis, ${policy}`,
    ...(budget === "100%" ? [] : [` ${budget}`]),
    ...(policy === "stock" || kvType !== "f16" ? [`, ${kvType}`] : []),
    ...(groupLayers ? [`, ${groupLayers} layers at a time`] : []),
    ...(reading ? [`, ${reading} reading`] : []),
  ].join(""),
  policy,
  budget,
  kvType,
  groupLayers,
  reading,
});

/**
 * Every ratio is against the first, of the same round; so what takes longest comes last, and a machine that slows down
 * does not come between.
 */
export const sides: readonly Side[] = [
  side("stock", "100%", "f16"),
  side("full", "100%", "f16"),
  side("dynamickv", "25%", "f16"),
  side("dynamickv", "25%", "f16", undefined, "fast"),
  side("dynamickv", "6.9%", "f16"),
  side("dynamickv", "1.7%", "f16"),
  side("dynamickv", "6.9%", "q8_0"),
  side("dynamickv", "6.9%", "q4_0"),
  side("dynamickv", "6.9%", "f16", 2),
  side("dynamickv", "6.9%", "f16", 4),
  side("stock", "100%", "q8_0"),
  side("stock", "100%", "q4_0"),
];

/** The default model with its own weights, or a shape with random ones. */
export type BenchModel = "default" | ShapeName;

/**
 * Layers of a model with random weights, where not all of the real one's: each costs the same, and with all thirty a
 * side takes half an hour at 32k.
 */
export const modelLayers: Partial<Record<BenchModel, number>> = { "smollm2-like": 10 };

/**
 * Cases that share a page in docs/bench, which is the file's name: what is measured anew, on another machine perhaps, takes
 * no other page's rows away. All but the first have to be asked for.
 */
export type CaseSet = "reading" | "long" | "shapes";

export interface Case {
  readonly set: CaseSet;
  readonly model: BenchModel;
  /** Of the prompt. */
  readonly tokens: number;
  readonly side: Side;
  /** From 1. */
  readonly round: number;
}

/** What the process of one measurement is told. */
export interface Spec {
  readonly model: { readonly path: string; readonly id: string };
  readonly side: Side;
  readonly tokens: number;
  /** Tokens written after reading. */
  readonly decode: number;
  /** Of `tokens`, how many are really read; the cache has room for all of them. Stock only. */
  readonly reads?: number;
}

export const caseId = ({ model, tokens, side, round }: Case) => `${model}.${tokens}.${side.id}.${round}`;

interface Lengths {
  readonly model: BenchModel;
  readonly tokens: readonly number[];
  readonly set: CaseSet;
  /** Ids; all when left out. */
  readonly sides?: readonly string[];
}

/** Whole models of real shapes are there for the memory: what stock holds is arithmetic, and its reading takes an hour. */
const shaped = { set: "shapes", sides: ["dynamickv-6.9-f16"] } as const;

const lengths: readonly Lengths[] = [
  { model: "default", tokens: [1024, 2048, 4096, 8192], set: "reading" },
  { model: "smollm2-like", tokens: [16_384, 32_768], set: "long" },
  { model: "llama-3.2-1b-like", tokens: [8192, 32_768], ...shaped },
  { model: "llama-3.1-8b-like", tokens: [8192, 32_768], ...shaped },
];

export interface Selection {
  readonly long?: boolean;
  /** Whole models of real shapes. */
  readonly shapes?: boolean;
  readonly rounds: number;
  /** The only model; all when left out. */
  readonly model?: string | undefined;
  /** Prompt lengths; all when left out. */
  readonly lengths?: readonly number[] | undefined;
  /** Ids of sides; what is no id counts as the beginning of some. All when left out. */
  readonly only?: readonly string[] | undefined;
}

/** In the order of measuring: side after side within a length, so that a machine that slows down slows all. */
export function selectCases(selection: Selection): Case[] {
  const offered = lengths.filter(({ set }) => set === "reading" || selection[set]);
  const chosen = offered.filter(({ model }) => model === (selection.model ?? model));
  if (chosen.length === 0) {
    throw new RangeError(`No model ${selection.model}; there are ${offered.map(({ model }) => model).join(", ")}.`);
  }
  const known = new Set(chosen.flatMap(({ tokens }) => tokens));
  for (const length of selection.lengths ?? []) {
    if (!known.has(length)) {
      throw new RangeError(
        `No length ${length}; there are ${[...known].join(", ")}${selection.long ? "" : ", and more with --long or --shapes"}.`,
      );
    }
  }
  for (const name of selection.only ?? []) {
    if (!sides.some(({ id }) => id.startsWith(name))) {
      throw new RangeError(`Nothing begins with "${name}"; there are ${sides.map(({ id }) => id).join(", ")}.`);
    }
  }
  const named = (id: string, name: string) =>
    sides.some((one) => one.id === name) ? id === name : id.startsWith(name);
  const wanted = sides.filter(({ id }) => selection.only?.some((name) => named(id, name)) ?? true);
  return Array.from({ length: selection.rounds }, (_, index) => index + 1).flatMap((round) =>
    chosen.flatMap(({ set, model, tokens, sides: some }) =>
      tokens
        .filter((length) => selection.lengths?.includes(length) ?? true)
        .flatMap((length) =>
          wanted
            .filter(({ id }) => some?.includes(id) ?? true)
            .map((side) => ({ set, model, tokens: length, side, round })),
        ),
    ),
  );
}

/** "8k" or "8192". @throws RangeError */
export function parseLength(text: string): number {
  const [, digits, kilo] = /^([1-9]\d{0,6})(k?)$/i.exec(text.trim()) ?? [];
  if (digits === undefined) throw new RangeError(`"${text}" is no number of tokens; write 8k or 8192.`);
  return Number(digits) * (kilo ? 1024 : 1);
}
