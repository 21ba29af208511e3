import { beforeEach, describe, expect, it, vi } from "vitest";
import type { PrecisApi } from "../../electron/contract.js";
import { bridge, stubStorage } from "./support.js";

stubStorage();
const { becomesOne, runOptions, useSettings } = await import("../../renderer/stores/settings.js");

const failure = (code: string) => ({ ok: false, error: { code, message: code } }) as const;

describe("settings", () => {
  const settings = () => useSettings.getState();
  const initial = settings();
  beforeEach(() => {
    bridge({});
    useSettings.setState(initial);
  });

  it("become a run's options: nothing that was not chosen, everything with the full cache", () => {
    settings().setShare(6.9);
    expect(runOptions(settings())).toEqual({
      budget: "6.9%",
      policy: "dynamickv",
      style: "paragraph",
      length: "medium",
      seed: 1,
      temperature: 0,
    });
    settings().choose({ policy: "full", language: "German", style: "bullets", focus: " Money? ", threads: 3 });
    settings().choose({ kvType: "q8_0", groupLayers: 4, seed: 9 });
    expect(runOptions(settings())).toMatchObject({
      budget: "100%",
      language: "German",
      style: "bullets",
      focus: "Money?",
      threads: 3,
      kvType: "q8_0",
      groupLayers: 4,
      seed: 9,
    });
  });

  it("say how it is read where that is fast, and never of the full cache", () => {
    settings().choose({ reading: "fast", policy: "full" });
    expect(runOptions(settings()).reading).toBeUndefined();
    settings().choose({ policy: "dynamickv" });
    expect(runOptions(settings()).reading).toBe("fast");
    settings().choose({ reading: "thorough" });
    expect(runOptions(settings()).reading).toBeUndefined();
  });

  it("are kept by the main process, but for what one summary dwells on", () => {
    const changeSettings = vi.fn<PrecisApi["changeSettings"]>(async () => failure("internal"));
    bridge({ changeSettings });
    settings().setShare(13.37);
    settings().choose({ focus: "Money?", style: "executive" });
    settings().choose({ focus: "" });
    expect(changeSettings.mock.calls).toEqual([[{ share: 13.4 }], [{ style: "executive" }]]);
  });

  it("make one summary only of several documents, and never one of chapters", () => {
    expect(becomesOne({ together: true, style: "bullets" }, 2)).toBe(true);
    expect(becomesOne({ together: true, style: "bullets" }, 1)).toBe(false);
    expect(becomesOne({ together: true, style: "chapters" }, 2)).toBe(false);
    expect(becomesOne({ together: false, style: "bullets" }, 2)).toBe(false);
  });
});
