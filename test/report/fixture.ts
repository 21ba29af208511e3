import { type Answer, type SummaryResult, summaryResultSchema } from "../../core/summarize/result.js";
import { savedCacheWords } from "../../core/summarize/saved-cache.js";

const MIB = 2 ** 20;

/** A run as the core reports it; a test gives what it is about. */
export function summaryResult(given: Partial<SummaryResult> = {}): SummaryResult {
  return summaryResultSchema.parse({
    text: "The harbour had a good year.\n\n- Trade grew.\n",
    citations: [],
    document: {
      path: "/home/ada/a|b `draft`.pdf",
      pages: 5,
      tokens: 6270,
      pagesRead: [1, 2, 3, 5],
      coverage: { unit: "page", text: [1, 2, 5], ocr: [{ page: 3, confidence: 0.914 }], empty: [4], failed: [] },
      warnings: ["No text on page 4: nothing of it was read."],
    },
    furtherDocuments: [],
    parts: [],
    model: { id: "smollm2-135m", path: "/models/m.gguf", layers: 30, kvHeads: 3, contextLength: 8192 },
    policy: "dynamickv",
    budget: { requested: "6.9%", bytes: 10 * MIB, tokensPerLayer: 442 },
    kv: { fullBytes: 160 * MIB, retainedBytes: 10 * MIB, peakBytes: 33.5 * MIB, layers: [] },
    memory: { peakRssBytes: 300 * MIB },
    timings: {
      loadMs: 400,
      readMs: 700,
      prefillMs: 61_000,
      compressMs: 1000,
      firstTokenMs: 12,
      decodeMs: 2500,
      decodeTokens: 180,
    },
    warnings: ["Line one\nline two.", "No text on page 4: nothing of it was read."],
    ...given,
  });
}

/** A citation for each of `sentences`, which must stand in `text`, with the pages that support it. */
export function citations(text: string, sentences: readonly (readonly [string, number[]])[]) {
  return sentences.map(([sentence, pages]) => {
    const start = text.indexOf(sentence);
    if (start < 0) throw new Error(`"${sentence}" does not stand in the text.`);
    return { start, end: start + sentence.length, pages };
  });
}

/** Everything that Markdown has, with citations in and around its marks. */
export const richText = `The **outer breakwater** settled by 41 cm. Divers counted *212 blocks*.

## What was found

- The quay wall at berth 4 moves by 6 mm.
  It did so before.
  1. First inside.
  2. Second inside.
- Dredging cost 3.2 million in 2019 & more later.

3. Rebuild the northern arm.
4. Limit berth 4 to ships under 9 m.

> The report leaves open who pays.

\`\`\`
plan B
\`\`\`

---

**No one was hurt.** See [the appendix](https://example.org/x) and ![a picture](https://example.org/y.png).
`;

/** What was asked about it: once of what was kept, once by reading again, with headings in the answer. */
export const richAnswers = (): Answer[] => {
  const settled = "## In short\n\nIt settled by *41 cm*.";
  const passages = ["The outer breakwater settled by 41 cm."];
  const [citation] = citations(settled, [["It settled by *41 cm*.", [1]]]);
  return [
    {
      id: "one",
      asked: 1,
      question: "How far did\nit <b>settle</b> | sink?",
      from: "document",
      result: summaryResult({ text: settled, citations: [{ ...citation!, passages }], warnings: [] }),
    },
    {
      id: "two",
      asked: 2,
      question: "Who pays?",
      from: "memory",
      result: summaryResult({ text: "That is left open.", savedCache: "other", warnings: [savedCacheWords.other] }),
    },
  ];
};

/** Of a document that calls itself so. */
export const titled = (result: SummaryResult, title: string): SummaryResult => ({
  ...result,
  document: { ...result.document, title },
});

export const richResult = (): SummaryResult =>
  summaryResult({
    text: richText,
    citations: citations(richText, [
      ["The **outer breakwater** settled by 41 cm.", [1]],
      ["Divers counted *212 blocks*.", [3, 2, 7]],
      ["The quay wall at berth 4 moves by 6 mm.\n  It did so before.", [5]],
      ["Dredging cost 3.2 million in 2019 & more later.", [4]],
      ["**No one was hurt.**", []],
    ]),
  });
