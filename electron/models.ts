/** The models as the window sees them: what there is, and the downloads and checks that go on. */

import { PrecisError } from "../core/errors.js";
import { addModel, type ModelFacts } from "../core/models/added.js";
import { catalogue, catalogueModel } from "../core/models/catalogue.js";
import { discardDownload, downloadModel } from "../core/models/download.js";
import type { NetworkSettings } from "../core/models/hub.js";
import { deleteModel, type ListedModel, listModels, verifyModel } from "../core/models/models.js";
import { type Capacity, capacityOf } from "../core/summarize/capacity.js";
import type { ModelActivity } from "./contract.js";
import { t } from "./language.js";
import { wireError } from "./wire-error.js";

export interface WindowModel extends ListedModel {
  /** With the memory that is free now. */
  readonly reads: Capacity;
  /** Chosen for reading. */
  readonly chosen: boolean;
  readonly activity: ModelActivity | undefined;
}

export interface ModelParts {
  network(): NetworkSettings;
  /** What a file says of itself. */
  inspect(path: string): Promise<ModelFacts>;
  /** Id of the model that reads, or will once it is loaded. */
  chosen(): string;
  /** Path of the one that is loaded. */
  loaded(): string | undefined;
  /** A download or check went on, or ended: then the list is another. */
  changed(id: string, activity: ModelActivity | undefined): void;
  availableBytes(): number;
}

export class Models {
  private readonly running = new Map<string, { readonly controller: AbortController; readonly ended: Promise<void> }>();
  private readonly activities = new Map<string, ModelActivity>();

  constructor(private readonly parts: ModelParts) {}

  async list(): Promise<WindowModel[]> {
    const available = this.parts.availableBytes();
    const chosen = this.parts.chosen() || catalogue.default;
    return (await listModels()).map((model) => ({
      ...model,
      reads: capacityOf(model, available),
      chosen: model.id === chosen,
      activity: this.activities.get(model.id),
    }));
  }

  /** Begins or goes on; how it fares is told by `changed`. @throws PrecisError usage */
  download(id: string): void {
    const model = catalogueModel(id);
    if (!model) throw new PrecisError("usage", t("errors.noModel", { id }));
    this.start(id, { kind: "downloading", stage: "connecting", bytes: 0, totalBytes: 0 }, async (signal) => {
      await downloadModel(model, {
        network: this.parts.network(),
        signal,
        onProgress: (progress) => this.set(id, { kind: "downloading", ...progress }),
      });
      return undefined;
    });
  }

  /** Compares a model's bytes with its sha256. */
  verify(id: string): void {
    this.start(id, { kind: "verifying", fraction: 0 }, async (signal) => {
      await verifyModel(id, {
        signal,
        onProgress: throttled((fraction) => this.set(id, { kind: "verifying", fraction })),
      });
      return { kind: "verified" };
    });
  }

  /** Stops a download or check; what has come of a download is kept. */
  async pause(id: string): Promise<void> {
    this.running.get(id)?.controller.abort();
    await this.running.get(id)?.ended;
  }

  /** Stops a download, and deletes what has come. */
  async discard(id: string): Promise<void> {
    await this.pause(id);
    const model = catalogueModel(id);
    if (model) await discardDownload(model);
    this.set(id, undefined);
  }

  /** @returns the id of the model that was added */
  async add(path: string): Promise<string> {
    return (await addModel(path, (file) => this.parts.inspect(file))).id;
  }

  /** @returns what was done, in words. @throws PrecisError model-in-use, usage */
  async delete(id: string): Promise<string> {
    if (this.running.has(id)) throw new PrecisError("model-in-use", t("errors.modelAtWork"), t("errors.stopFirst"));
    if (id === (this.parts.chosen() || catalogue.default)) {
      throw new PrecisError("model-in-use", t("errors.modelInUse"), t("errors.chooseOther"));
    }
    const words = await deleteModel(id, this.parts.loaded());
    this.activities.delete(id);
    return words;
  }

  /** Pauses everything. */
  async stop(): Promise<void> {
    await Promise.all([...this.running.keys()].map((id) => this.pause(id)));
  }

  private start(
    id: string,
    first: ModelActivity,
    work: (signal: AbortSignal) => Promise<ModelActivity | undefined>,
  ): void {
    if (this.running.has(id)) return;
    const controller = new AbortController();
    this.set(id, first);
    const ended = work(controller.signal)
      .catch((thrown): ModelActivity | undefined => {
        const error = wireError(thrown);
        return error.code === "cancelled" ? undefined : { kind: "failed", error };
      })
      .then((last) => {
        this.running.delete(id);
        this.set(id, last);
      });
    this.running.set(id, { controller, ended });
  }

  private set(id: string, activity: ModelActivity | undefined): void {
    if (activity) this.activities.set(id, activity);
    else this.activities.delete(id);
    this.parts.changed(id, activity);
  }
}

/** At most ten calls a second, and the last one (1). */
function throttled(report: (fraction: number) => void): (fraction: number) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (fraction) => {
    const now = performance.now();
    if (now - last < 100 && fraction < 1) return;
    last = now;
    report(fraction);
  };
}
