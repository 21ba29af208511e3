import { beforeEach, describe, expect, it, vi } from "vitest";
import { catalogue } from "../../core/models/catalogue.js";
import type { PrecisApi, WindowModel } from "../../electron/contract.js";
import { modelName } from "../../electron/core.js";
import { speak } from "../../electron/language.js";
import { useModels } from "../../renderer/stores/models.js";
import { aboutWords, activityWords, capacityWords, languageWords, sizeWords } from "../../renderer/view/models.js";
import { bridge } from "./support.js";

const reads = { tokens: 57_600, pages: 120, limit: "memory" } as const;
const model = {
  id: "m",
  name: "M",
  bytes: 2.5e9,
  exact: false,
  contextLength: 262_144,
  reads,
} as unknown as WindowModel;

describe("what is said of a model", () => {
  it("is its name: the catalogue's, or that of the user's own file", () => {
    for (const { id, name } of catalogue.models) expect(modelName(id)).toBe(name);
    expect(modelName("my-model-Q4_K_M")).toBe("my-model-Q4_K_M");
  });

  it("is what this computer can read with it, and why no more", () => {
    expect(capacityWords(model)).toMatch(/^Reads about 120 pages in one go on this computer; more with more memory/);
    expect(capacityWords({ ...model, reads: { ...reads, limit: "context" } })).toMatch(/262,144 tokens\.$/);
    expect(capacityWords({ ...model, reads: { ...reads, tokens: 0, pages: 0 } })).toMatch(/does not fit/);
  });

  it("is for whom it is, of each in the catalogue", () => {
    for (const { id, about } of catalogue.models) expect(aboutWords({ id, kind: "catalogue", path: "" })).toBe(about);
    expect(aboutWords({ id: "m", kind: "added", path: "/m.gguf" })).toBe("Added by you: /m.gguf");
  });

  it("is its size, guessed or known, and its languages, a few by name", () => {
    expect([sizeWords(model), sizeWords({ ...model, exact: true })]).toEqual(["about 2.3 GiB", "2.3 GiB"]);
    expect(languageWords({ languages: ["en"], moreLanguages: false })).toBe("English");
    expect(languageWords({ languages: ["en", "zh", "de", "fr", "it"], moreLanguages: true })).toBe(
      "English, Chinese, German and more than 2 others",
    );
    expect(languageWords({ languages: [], moreLanguages: false })).toBeUndefined();
    for (const [own, words] of [
      ["ja", /^日本語、/],
      ["zh-Hans", /^中文、/],
      ["en", /^English, French/],
    ] as const) {
      speak(own);
      expect(languageWords({ languages: ["fr", "es", "en", "de", "zh", "ja"], moreLanguages: false })).toMatch(words);
    }
  });

  it("is how far a download has come", () => {
    const received = { kind: "downloading", stage: "receiving", bytes: 2 ** 30, totalBytes: 2 ** 31 } as const;
    expect(activityWords(received)).toBe("1.0 GiB of 2.0 GiB");
    expect(activityWords({ ...received, remainingMs: 90_000 })).toMatch(/, 1 min 30 s left$/);
  });
});

describe("the list of models", () => {
  const list = vi.fn<PrecisApi["modelsList"]>(async () => ({ ok: true, value: [model] }));
  beforeEach(() => {
    list.mockClear();
    useModels.setState({ models: [model], error: undefined, notice: undefined });
  });

  it("shows progress as it is told, and is asked for anew when something has ended", () => {
    bridge({ modelsList: list });
    useModels.getState().acted("m", { kind: "verifying", fraction: 0.5 });
    expect(useModels.getState().models?.[0]?.activity).toEqual({ kind: "verifying", fraction: 0.5 });
    expect(list).not.toHaveBeenCalled();
    useModels.getState().acted("m", { kind: "verified" });
    expect(list).toHaveBeenCalledOnce();
  });

  it("says why a file was not added, and leaves out those after it", async () => {
    const addModel = vi.fn<PrecisApi["addModel"]>(async () => ({
      ok: false,
      error: { code: "model-damaged", message: "It is not whole." },
    }));
    bridge({ modelsList: list, addModel });
    await useModels.getState().add(["/a.gguf", "/b.gguf"]);
    expect(addModel).toHaveBeenCalledOnce();
    expect(useModels.getState().error?.message).toBe("It is not whole.");
  });
});
