import { describe, expect, it } from "vitest";
import { firstSettings } from "../../electron/core.js";
import { findSettings, settings } from "../../renderer/view/settings.js";

const found = (query: string) => findSettings(query).map(({ id }) => id);

describe("settings", () => {
  it("each have a name, one sentence and words that find them", () => {
    for (const { name, sentence, words } of settings()) {
      expect(name).not.toBe("");
      expect(sentence).toMatch(/^\p{Lu}.*\.$/u);
      expect(words.split(" ").length).toBeGreaterThan(1);
    }
    expect(new Set(settings().map(({ id }) => id)).size).toBe(settings().length);
  });

  it("are found by name, by what else they are called, and by several words in any order", () => {
    expect(found("dark")).toContain("theme");
    expect(found("firewall")).toEqual(["proxy"]);
    expect(found("OCR")).toEqual(["scan-languages"]);
    expect(found("space disk")).toEqual(["cache"]);
    expect(found("disk dark")).toEqual([]);
    expect(found("")).toHaveLength(settings().length);
  });

  it("that are chosen from a menu show what they are at first", () => {
    for (const { id, control } of settings()) {
      if (control.kind === "choice") expect(control.chosen(firstSettings), id).toBeGreaterThanOrEqual(0);
    }
  });

  it("take addresses that are some, and say what is wrong with others", () => {
    const proxy = settings().find(({ id }) => id === "proxy")?.control;
    if (proxy?.kind !== "text") throw new Error("the proxy is typed");
    expect(proxy.change(" http://proxy.example:3128 ")).toEqual({ proxy: "http://proxy.example:3128" });
    expect(proxy.change("")).toEqual({ proxy: "" });
    expect(proxy.change("proxy.example")).toMatch(/https:\/\/example\.org/);
  });
});
