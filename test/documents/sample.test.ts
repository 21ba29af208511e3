import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import type { SourceDocument } from "../../core/documents/document.js";
import { openDocument } from "../../core/documents/open.js";
import { samplePdf } from "../../scripts/samples.js";

const samples = new URL("../../assets/samples/", import.meta.url);

interface Fact {
  readonly page: number;
  readonly question: string;
  readonly answer: string;
}

describe("the sample report", () => {
  let document: SourceDocument;
  beforeAll(async () => {
    document = await openDocument(fileURLToPath(new URL("harbour-report.pdf", samples)));
  }, 30_000);

  it("is made from the Markdown beside it", async () => {
    const made = await samplePdf(await readFile(new URL("harbour-report.md", samples), "utf8"));
    const kept = await readFile(new URL("harbour-report.pdf", samples));
    expect(made.equals(kept), "run: npx tsx scripts/samples.ts").toBe(true);
  }, 30_000);

  it("has 10 to 14 pages, all with text, and its title", () => {
    expect(document.pages.length).toBeGreaterThanOrEqual(10);
    expect(document.pages.length).toBeLessThanOrEqual(14);
    expect(document.pages.every((page) => page.text.length > 300)).toBe(true);
    expect(document).toMatchObject({ title: "Saltmere Harbour Authority: Annual Review 2024/25", warnings: [] });
  });

  it("states each fact on the page that the facts name, and on no other", async () => {
    const facts = JSON.parse(await readFile(new URL("harbour-report.facts.json", samples), "utf8")) as Fact[];
    expect(facts.length).toBeGreaterThanOrEqual(10);
    for (const { page, answer } of facts) {
      const found = document.pages.filter((each) => each.text.includes(answer)).map((each) => each.number);
      expect(found, answer).toEqual([page]);
    }
  });

  it("keeps headings, lists and rows apart", () => {
    const text = document.pages.map((page) => page.text).join("\n\n");
    expect(text).toContain("\n\nTrade and traffic\n\nCargo\n\nAggregates remain");
    expect(text).toContain("\nTimber  418  391\nGrain and feed  287  334\n");
    expect(text).toContain("2013, stayed dry. Nobody was hurt. I would like this review to be read with that morning");
  });
});
