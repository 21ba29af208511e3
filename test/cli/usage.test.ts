import { describe, expect, it } from "vitest";
import { policyOption, runOptions } from "../../core/cli/usage.js";
import { policyNames } from "../../core/compression/registry.js";

const flags = { model: undefined, length: "short", seed: 1, temperature: 0, json: false, quiet: true } as const;

describe("--policy", () => {
  it("offers the registry's policies, and the core takes each of them", () => {
    expect(policyOption().argChoices).toEqual(policyNames);
    for (const policy of policyNames) expect(runOptions({ ...flags, policy })).toMatchObject({ policy });
  });
});

describe("--reading", () => {
  it("is thorough unless asked for, and fast only with a policy that drops something", () => {
    expect(runOptions({ ...flags, policy: "dynamickv" }).reading).toBeUndefined();
    expect(runOptions({ ...flags, policy: "dynamickv", reading: "fast" })).toMatchObject({ reading: "fast" });
    expect(() => runOptions({ ...flags, policy: "full", reading: "fast" })).toThrow(/the policy "full" keeps/);
    expect(() => runOptions({ ...flags, policy: "dynamickv", reading: "skim" })).toThrow(/reading/);
  });
});
