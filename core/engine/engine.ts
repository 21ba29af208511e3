/** Loads a model through node-llama-cpp and opens sessions of our own context on it. */
import { availableParallelism } from "node:os";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { getLlama, type Llama, LlamaLogLevel, type LlamaModel, resolveChatWrapper } from "node-llama-cpp";
import { cancelled, PrecisError } from "../errors.js";
import { said } from "../said.js";
import { chatPrompt } from "./chat.js";
import { modelShape, unsupported } from "./model-shape.js";
import { loadAddon } from "./native.js";
import { DocumentSession } from "./session.js";
import type { Engine, LoadOptions, ModelInfo } from "./types.js";

/**
 * @param path the GGUF file
 * @param id how the model is called in results
 * @throws PrecisError model-damaged, model-unsupported, runtime-mismatch, cancelled
 */
export async function loadEngine(path: string, id: string, options: LoadOptions = {}): Promise<Engine> {
  const { onProgress, signal, gpuLayers } = options;
  if (signal?.aborted) throw cancelled();
  const log: string[] = [];
  const llama = await patchedLlama(log);
  let model: LlamaModel | undefined;
  try {
    const addon = loadAddon(llama.gpu);
    if (gpuLayers && !llama.gpu) {
      throw new PrecisError(
        "usage",
        said`There is no GPU to put layers on.`,
        said`Leave --gpu-layers out, or set it to 0.`,
      );
    }
    model = await llama.loadModel({
      modelPath: path,
      loadSignal: signal,
      ignoreMemorySafetyChecks: true,
      ...(gpuLayers !== undefined && { gpuLayers }),
      ...(onProgress && { onLoadProgress: onProgress }),
    });
    if (!addon.canWrite(path)) throw unsupported(said`it is an encoder, which cannot write text`);
    const engine = engineOf(llama, model, addon, path, id);
    collectGarbage();
    return engine;
  } catch (error) {
    await model?.dispose();
    await llama.dispose();
    if (signal?.aborted) throw cancelled();
    if (error instanceof PrecisError) throw error;
    throw new PrecisError(
      "model-damaged",
      said`The model ${path} could not be loaded: ${error instanceof Error ? error.message : String(error)}`,
      said`Check the file with \`precis models verify\`, or choose another model.`,
      { cause: new Error(log.join("\n"), { cause: error }) },
    );
  }
}

/**
 * Reading the vocabulary leaves some 30 MiB of garbage, which V8 would keep until it needs the room itself: while the
 * document is read, just when memory counts.
 */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

/** llama.cpp's own words go to `log` (the last of them), not to the terminal: a cancelled batch also counts as an error there. */
async function patchedLlama(log: string[]): Promise<Llama> {
  try {
    const llama = await getLlama({
      build: "never",
      usePrebuiltBinaries: false,
      skipDownload: true,
      logLevel: LlamaLogLevel.error,
      logger: (_, message) => {
        log.push(message.trim());
        if (log.length > 20) log.shift();
      },
    });
    if (llama.buildType === "localBuild") return llama;
    await llama.dispose();
  } catch (error) {
    throw new PrecisError(
      "runtime-mismatch",
      said`The patched llama.cpp could not be loaded.`,
      said`Run the set-up again: npm run setup`,
      { cause: error },
    );
  }
  throw new PrecisError(
    "runtime-mismatch",
    said`llama.cpp was loaded without the patch.`,
    said`Run the set-up again: npm run setup`,
  );
}

function engineOf(
  llama: Llama,
  model: LlamaModel,
  addon: ReturnType<typeof loadAddon>,
  path: string,
  id: string,
): Engine {
  const sliding = new Set(addon.slidingLayers(path));
  const info = { ...modelInfo(model, path, id, sliding.size), gpu: llama.gpu || undefined };
  const fullLayers = Array.from({ length: info.layers }, (_, layer) => layer).filter((layer) => !sliding.has(layer));
  const loaded = { info, fullLayers, refusal: addon.refusal(path), passRefusal: addon.passRefusal(path) };
  const wrapper = resolveChatWrapper(model);
  const sessions = new Set<DocumentSession>();
  const threads = computeThreads(llama);
  return {
    model: info,
    tokenize: (text) => Uint32Array.from(model.tokenize(text, false, "trimLeadingSpace")),
    chatPrompt: (parts) => chatPrompt(model, wrapper, parts),
    gpuNames: () => llama.getGpuDeviceNames(),
    async createSession() {
      const session: DocumentSession = new DocumentSession(new addon.Session(), loaded, threads, () =>
        sessions.delete(session),
      );
      sessions.add(session);
      return session;
    },
    async dispose() {
      for (const session of [...sessions]) await session.dispose();
      // the model and the llama instance must be gone before the thread ends, or the process aborts
      await model.dispose();
      await llama.dispose();
    },
  };
}

/**
 * Threads to compute with. ggml's threads spin while they wait for each other: where one must share its core with
 * another program, all of them wait. So one core is left to the system, where there are more than two.
 */
export function computeThreads(llama: Pick<Llama, "cpuMathCores">): number {
  const cores = Math.min(llama.cpuMathCores, availableParallelism());
  return cores > 2 ? cores - 1 : cores;
}

/** A loaded model's shape. @throws PrecisError model-unsupported when its layers differ in shape */
export function modelInfo(model: LlamaModel, path: string, id: string, slidingLayers = 0): ModelInfo {
  const { metadata } = model.fileInfo;
  const shape = modelShape(metadata);
  return {
    ...shape,
    id,
    path,
    architecture: metadata.general.architecture,
    fullLayers: shape.layers - slidingLayers,
    weightsBytes: model.size,
    gpuLayers: model.gpuLayers,
  };
}
