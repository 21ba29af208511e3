import { describe, expect, it } from "vitest";
import { catalogue } from "../../core/models/catalogue.js";
import { capacityOf, tokensPerPage } from "../../core/summarize/capacity.js";

const GiB = 2 ** 30;
const qwen = catalogue.models.find(({ id }) => id === "qwen3-4b-instruct-2507")!;
const reads = (availableBytes: number) => capacityOf({ ...qwen, bytes: 2.5e9 }, availableBytes);

describe("what a model can read in one go", () => {
  it("grows with the memory, up to the model's context", () => {
    const [small, large, huge] = [reads(4 * GiB), reads(8 * GiB), reads(200 * GiB)];
    expect(small.tokens).toBeGreaterThan(0);
    expect(large.tokens).toBeGreaterThan(small.tokens);
    expect([small.limit, large.limit, huge.limit]).toEqual(["memory", "memory", "context"]);
    expect(huge.tokens).toBeLessThan(qwen.contextLength);
    expect(huge.tokens).toBeGreaterThan(0.99 * qwen.contextLength);
  });

  it("is nothing where the model itself does not fit", () => {
    expect(reads(2 * GiB)).toEqual({ tokens: 0, pages: 0, limit: "memory" });
  });

  it("is said in pages with two digits, never more than there are", () => {
    const { tokens, pages } = reads(8 * GiB);
    expect(pages).toBeLessThanOrEqual(tokens / tokensPerPage);
    expect(pages).toBeGreaterThan((0.9 * tokens) / tokensPerPage);
    expect(String(pages)).toMatch(/^\d\d?0*$/);
  });
});
