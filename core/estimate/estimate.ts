/**
 * What a run takes, before it runs: pure arithmetic on a model's shape and a token count, for the CLI, the worker and
 * the window alike (no Node imports).
 */
import type { LayerObservations } from "../compression/policy.js";
import { entryBytes, type HiddenType, type KvType } from "../engine/kv.js";
import { batchTokens, cellsStep, checkRows, checkTokens, growthTokens, moreTokens } from "../engine/shape.js";
import type { ModelInfo } from "../engine/types.js";
import { PrecisError } from "../errors.js";
import { said } from "../said.js";

/** The part of a model that decides the size of its KV cache. */
export type KvShape = Pick<ModelInfo, "fullLayers" | "kvHeads" | "keySize" | "valueSize">;

/** The part of a model that decides what a run takes. */
export type MemoryShape = KvShape &
  Pick<
    ModelInfo,
    | "layers"
    | "queryHeads"
    | "embeddingSize"
    | "feedForwardSize"
    | "vocabularySize"
    | "weightsBytes"
    | "gpuLayers"
    | "gpu"
  >;

export interface Budget {
  /** As the user wrote it. */
  readonly requested: string;
  /** Bytes of KV that the entries below take: the request rounded down to whole entries. */
  readonly bytes: number;
  /** Entries per KV head, summed over all layers; window and protected tokens are inside. */
  readonly entriesTotal: number;
  /** The mean over the layers, rounded down. */
  readonly tokensPerLayer: number;
}

/** One run, as far as memory is concerned. */
export interface RunShape {
  readonly promptTokens: number;
  readonly answerTokens: number;
  /** Nothing is dropped: all layers are read at once, and the KV cache is of `kvType` from the start. */
  readonly keepsAll: boolean;
  /** Entries per KV head over all layers that are kept at the end; */
  readonly retainedEntries: number;
  /** and of each full-attention layer, the most that are held once it has been read (`Policy.heldEntries`). */
  readonly heldEntries: readonly number[];
  /** Tokens that go through each full-attention layer; all of them when undefined. */
  readonly layerTokens?: readonly number[] | undefined;
  readonly kvType: KvType;
  /** Layers read at a time. */
  readonly groupLayers: number;
  /** How hidden states wait between groups of layers; f16 when undefined. */
  readonly hiddenType?: HiddenType;
  /** Whether the whole cache lies in a file beside it; no when undefined. */
  readonly whole?: boolean;
  /** What the policy is shown beside scores. */
  readonly needs?: readonly (keyof LayerObservations)[] | undefined;
}

/** Bytes. */
export interface Estimate {
  readonly promptTokens: number;
  readonly weightsBytes: number;
  /** Buffers of the graph, and what a policy is shown of a group of layers. */
  readonly computeBytes: number;
  /** Full f16 KV of the layers that are being read, the first ones. */
  readonly stagingBytes: number;
  /** Hidden states of all tokens between two groups. */
  readonly hiddenBytes: number;
  /** The f16 KV cache of the whole prompt, as an app without compression holds it. */
  readonly fullKvBytes: number;
  /** KV that lives once reading has ended. */
  readonly retainedKvBytes: number;
  /** The most that attention holds at any moment: staging, hidden states and entries kept, or the cache as it grows with the answer. */
  readonly peakKvBytes: number;
  /** Everything at the worst moment: weights, compute, KV and the program itself. */
  readonly totalBytes: number;
  /**
   * The whole KV cache in a file, while the document is read and answered, with room for another question; and beside it, once
   * the file is kept, what comes behind the document. 0 where there is none.
   */
  readonly diskBytes: number;
  /** `totalBytes` by where it lies. */
  readonly devices: { readonly memory: number; readonly gpu: number };
}

/** What Node.js, the bindings and the reader of documents take beside all that, measured with `npm run bench`: */
const programBytes = 102 * 2 ** 20;

/** and for each entry of the vocabulary, which the bindings hold as strings. */
const vocabularyEntryBytes = 2 ** 10;

/** What V8 takes beyond that while a policy chooses: it collects what is left of the scores when it needs room. */
const choosingBytes = 25 * 2 ** 20;

/**
 * What CUDA takes as soon as it is there, with no layer on it too: its libraries and the driver's own memory, and on the GPU
 * kernels, pools and the context. Measured on one H200 (docs/bench/gpu.md); a smaller GPU's context takes less.
 */
const cudaBytes = { memory: 430 * 2 ** 20, gpu: 615 * 2 ** 20 };

/**
 * And once a policy asks what queries can be expected to look at, which CUDA's own matrix library computes, with no layer on the
 * GPU too: its kernels, its workspace and what they are loaded from. Measured there too.
 */
const cublasBytes = { memory: 100 * 2 ** 20, gpu: 104 * 2 ** 20 };

/** And Vulkan with NVIDIA's driver, measured there too: pipelines and the driver's own memory. */
const vulkanBytes = { memory: 190 * 2 ** 20, gpu: 60 * 2 ** 20 };

const deviceBytes = { cuda: cudaBytes, vulkan: vulkanBytes, metal: { memory: 0, gpu: 0 } };

/** The budget that is used when the user names none. */
export const defaultBudget = "25%";

/** Bytes of the full f16 KV cache of `tokens` tokens: every full-attention layer, every KV head. */
export function fullKvBytes(model: KvShape, tokens: number): number {
  return tokens * model.fullLayers * model.kvHeads * entryBytes(model);
}

/**
 * Reads a budget: a share of the full cache ("6.9%"), tokens per layer and KV head ("512"), or bytes ("300MiB",
 * "1.5 GB"). It is an upper bound: rounded down to whole entries, and never more than the prompt's full cache.
 * @param promptTokens tokens of the whole prompt, instruction included
 * @param minimumTokens tokens per layer that are kept whatever the budget (window and protected), which it must exceed
 * @param kvType how kept entries are stored: a share is one of bytes, so that smaller entries are more of them
 * @throws PrecisError budget-invalid when it cannot be read, budget-too-small when it does not exceed `minimumTokens`
 */
export function parseBudget(
  text: string,
  model: KvShape,
  promptTokens: number,
  minimumTokens = 0,
  kvType: KvType = "f16",
): Budget {
  const fullEntries = promptTokens * model.fullLayers;
  const wanted = wantedEntries(text, model, promptTokens, kvType);
  const entriesTotal = Math.min(wanted, fullEntries);
  const tokensPerLayer = Math.floor(entriesTotal / model.fullLayers);
  // At least one token of the document must fit beside what is always kept, unless the whole prompt fits.
  const least = Math.min(minimumTokens + 1, promptTokens);
  if (tokensPerLayer < least) {
    const percent = Math.ceil(((least * entryBytes(model, kvType)) / (promptTokens * entryBytes(model))) * 1000) / 10;
    const share = `${Math.min(100, percent)}%`;
    throw new PrecisError(
      "budget-too-small",
      said`A budget of ${text.trim()} keeps ${tokensPerLayer} tokens per layer here, and the instruction alone takes ${minimumTokens}.`,
      said`Set at least ${least} tokens per layer, or ${share}.`,
    );
  }
  return {
    requested: text,
    bytes: entriesTotal * model.kvHeads * entryBytes(model, kvType),
    entriesTotal,
    tokensPerLayer,
  };
}

/** Whether a budget holds every entry of the prompt, stored in this type. @throws PrecisError budget-invalid */
export const holdsAll = (text: string, model: KvShape, promptTokens: number, kvType: KvType): boolean =>
  wantedEntries(text, model, promptTokens, kvType) >= promptTokens * model.fullLayers;

const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** What a budget's text says, before it meets a model. */
export interface BudgetRequest {
  /** percent of the full cache, tokens per layer and KV head, or bytes */
  readonly unit: "percent" | "tokens" | "bytes";
  readonly amount: number;
}

/**
 * Reads a budget's text alone.
 * @throws PrecisError budget-invalid
 */
export function readBudget(text: string): BudgetRequest {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(%|[a-z]*)\s*$/i.exec(text);
  const amount = Number(match?.[1]);
  const unit = (match?.[2] ?? "").toLowerCase();
  if (!match || amount <= 0) throw invalid(text);
  if (unit === "%") {
    if (amount > 100) throw invalid(text);
    return { unit: "percent", amount };
  }
  if (unit === "") {
    if (!Number.isInteger(amount)) throw invalid(text);
    return { unit: "tokens", amount };
  }
  const unitBytes = UNITS[unit];
  if (unitBytes === undefined) throw invalid(text);
  return { unit: "bytes", amount: amount * unitBytes };
}

/** Whole entries per KV head over all layers that a budget's text asks for. */
function wantedEntries(text: string, model: KvShape, promptTokens: number, kvType: KvType): number {
  const { unit, amount } = readBudget(text);
  if (unit === "tokens") return amount * model.fullLayers;
  const entries =
    unit === "percent"
      ? ((amount / 100) * promptTokens * model.fullLayers * entryBytes(model)) / entryBytes(model, kvType)
      : amount / (model.kvHeads * entryBytes(model, kvType));
  // 29 / 100 * 3000 is a hair less than 870 in floating point: round such hairs away.
  return Math.floor(entries + 1e-6);
}

function invalid(text: string): PrecisError {
  return new PrecisError(
    "budget-invalid",
    said`"${text}" is not a memory budget.`,
    said`Write a share of the full cache ("6.9%", at most 100%), whole tokens per layer ("512") or bytes ("300MiB").`,
  );
}

/**
 * What a run takes at its worst moment. While a document is read in groups of layers that is the group's staging, the
 * hidden states that wait for the next group and all that is kept; with short documents it may come later, as the
 * cache grows with the answer. The graph's buffers are those of llama.cpp's allocator for 512 tokens, found by
 * measuring four shapes (docs/decisions.md); test/bench prints estimate and measurement side by side.
 */
export function estimate(model: MemoryShape, run: RunShape): Estimate {
  const { promptTokens, groupLayers, kvType } = run;
  const full = fullKvBytes(model, promptTokens);
  const entry = model.kvHeads * entryBytes(model, kvType);
  const retained = run.retainedEntries * entry;
  const rows = run.keepsAll ? inSteps(promptTokens + run.answerTokens) - promptTokens : answerRows(run.answerTokens);
  const grown = retained + rows * model.fullLayers * entry;
  // a layer's old and new rows stand side by side while it grows
  const growing = grown + grown / model.fullLayers;
  const staging = run.keepsAll ? 0 : (full / model.fullLayers) * Math.min(groupLayers, model.fullLayers);
  const oneGroup = run.keepsAll || groupLayers >= model.layers;
  const hiddenRow = model.embeddingSize * (run.hiddenType === "f32" ? 4 : 2);
  const hidden = oneGroup ? 0 : Math.max(promptTokens, batchTokens) * hiddenRow;
  const peak = Math.max(growing, run.keepsAll ? retained : hidden + readingBytes(model, run));
  const contextTokens = promptTokens + run.answerTokens;
  const cells = inSteps(contextTokens + checkTokens + moreTokens);
  const scores = run.keepsAll ? 0 : scoreBytes(model, run);
  const compute =
    graphBytes(model, batchTokens, 1, 2) +
    2 * contextTokens * (oneGroup ? batchTokens : maskRows(model, promptTokens)) +
    (run.whole ? graphBytes(model, checkTokens, checkRows, 3) + 2 * contextTokens * checkTokens : 0) +
    scores +
    (oneGroup ? 0 : edgeBytes(promptTokens));
  const share = Math.min(1, model.gpuLayers / (model.layers + 1));
  // what belongs to a layer lies where the layer does; with the first layer on the GPU, so do hidden states
  const onGpu = model.gpuLayers > model.layers;
  const program = programBytes + model.vocabularySize * vocabularyEntryBytes + (run.keepsAll ? 0 : choosingBytes);
  const device = deviceBytesOf(model, run, share);
  // what a GPU has observed of a group is here, too, while a policy chooses
  const total = model.weightsBytes + compute + peak + program + (share > 0 ? scores : 0);
  const gpu = share === 0 ? 0 : share * (model.weightsBytes + peak - hidden) + compute + (onGpu ? hidden : 0);
  return {
    promptTokens,
    weightsBytes: model.weightsBytes,
    computeBytes: compute,
    stagingBytes: staging,
    hiddenBytes: hidden,
    fullKvBytes: full,
    retainedKvBytes: retained,
    peakKvBytes: peak,
    totalBytes: total + device.memory + device.gpu,
    diskBytes: run.whole ? fullKvBytes(model, 2 * cells - promptTokens) : 0,
    devices: { memory: total - gpu + device.memory, gpu: gpu + device.gpu },
  };
}

/** What a GPU takes by itself, with `share` of the model's layers on it. */
function deviceBytesOf({ gpu }: MemoryShape, { needs = [] }: RunShape, share: number) {
  const own = gpu ? deviceBytes[gpu] : { memory: 0, gpu: 0 };
  if (gpu !== "cuda" || !needs.includes("expectedLogits")) return own;
  return { memory: own.memory + share * cublasBytes.memory, gpu: own.gpu + cublasBytes.gpu };
}

/** The most that staging of a group of layers and what is kept of it and of the layers before take together. */
function readingBytes(
  model: KvShape,
  { promptTokens, heldEntries, layerTokens, groupLayers, kvType }: RunShape,
): number {
  const rowBytes = model.kvHeads * entryBytes(model);
  let most = 0;
  for (let first = 0; first < model.fullLayers; first += groupLayers) {
    const layers = Math.min(groupLayers, model.fullLayers - first);
    const staging = layers * (layerTokens?.[first] ?? promptTokens) * rowBytes;
    const held = Math.max(...heldEntries.slice(first, first + layers)) * model.kvHeads * entryBytes(model, kvType);
    most = Math.max(most, staging + held);
  }
  return most;
}

/** Cells of a cache that leaves nothing out, with so many in use. */
const inSteps = (cells: number) => cellsStep * Math.ceil(cells / cellsStep);

/** Rows that the cache has for the answer once it is written. */
function answerRows(tokens: number): number {
  return tokens <= growthTokens ? tokens : growthTokens * Math.ceil(tokens / growthTokens);
}

/**
 * Activations of a batch, f32, in attention or in the feed-forward, and rows of logits.
 * @param wide tensors of the feed-forward's width: a third, where gate times up does not take the gate's place
 */
function graphBytes(model: MemoryShape, batch: number, rows: number, wide: 2 | 3): number {
  const query = model.queryHeads * model.keySize;
  const attention = 2 * query + 3 * model.embeddingSize;
  const feedForward = wide * model.feedForwardSize + 4 * model.embeddingSize;
  return 4 * batch * Math.max(attention, feedForward) + 4 * rows * model.vocabularySize;
}

/**
 * Tokens of a batch that the f16 mask is of while hidden states wait: on a GPU long documents are attended to in parts of a
 * batch (core/native/llama/llama-retain-read.cpp).
 */
function maskRows(model: MemoryShape, promptTokens: number): number {
  if (model.gpuLayers <= model.layers) return batchTokens;
  return Math.min(batchTokens, Math.max(256, Math.floor(2 ** 25 / promptTokens)));
}

/** What the mask is updated from while hidden states wait, and every token's position and cell (llama_retain_hold). */
function edgeBytes(promptTokens: number): number {
  return 2 * 2 * batchTokens * (batchTokens + 258) + 12 * promptTokens;
}

/**
 * Layers read at a time: as many as hold 8 MiB of keys and values, and four at most. A group costs some milliseconds
 * whatever its length, which show while a document is short (docs/bench/reading.md). A GPU waits at the end of each group
 * and each batch, so there as many as hold 512 MiB (docs/bench/gpu.md).
 */
export function defaultGroupLayers(model: MemoryShape, promptTokens: number): number {
  const [bytes, most] = model.gpuLayers === 0 ? [8 * 2 ** 20, 4] : [512 * 2 ** 20, model.layers];
  const layerBytes = fullKvBytes(model, promptTokens) / model.fullLayers;
  return Math.max(1, Math.min(model.layers, most, Math.floor(bytes / layerBytes)));
}

/**
 * How hidden states wait between groups. In f32 what was read is the full cache's bit for bit, which a whole cache that
 * writes or checks the answer makes use of; beside what is lost without one the rounding to f16 is nothing. As long as they
 * take 256 MiB at most, which is 16,000 tokens of an 8B model: longer documents have more use for the memory.
 */
export function defaultHiddenType(model: MemoryShape, promptTokens: number, whole: boolean): HiddenType {
  return whole && 4 * model.embeddingSize * promptTokens <= 256 * 2 ** 20 ? "f32" : "f16";
}

/**
 * What a policy sees of a group, f32: window attention per query head as it is summed, and per KV head as it is pooled and
 * ranked; and whatever else it asks for, of one layer twice while it is handed over.
 */
function scoreBytes(model: MemoryShape, { promptTokens, groupLayers, needs = [] }: RunShape): number {
  const { queryHeads, kvHeads, keySize } = model;
  const columns: Readonly<Record<keyof LayerObservations, number>> = {
    variances: queryHeads + kvHeads,
    entropy: queryHeads,
    valueNorms: kvHeads,
    keys: kvHeads * keySize,
    expectedLogits: queryHeads,
  };
  const more = needs.reduce((sum, name) => sum + columns[name], 0);
  return 4 * promptTokens * ((queryHeads + 3 * kvHeads) * groupLayers + more * (groupLayers + 1));
}
