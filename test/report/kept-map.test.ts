import JSZip from "jszip";
import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import { summaryDocx } from "../../core/report/docx.js";
import { summaryHtml } from "../../core/report/html.js";
import { keptMap } from "../../core/report/kept-map.js";
import { summaryResult } from "./fixture.js";

const [width, height] = [5, 3];
const shares = Uint8Array.from({ length: width * height }, (_, at) => 17 * at);
const kept = summaryResult({
  kv: {
    ...summaryResult().kv,
    layers: Array.from({ length: height }, (_, layer) => ({ layer, tokens: 10, bytes: 100 })),
  },
  retention: { columns: width, shares: Buffer.from(shares).toString("base64"), pages: [] },
});

describe("the picture of what was kept", () => {
  it("has a row for each layer from the top, a column for each stretch, and is the darker the more was kept", () => {
    const { bytes, ...size } = keptMap(kept) ?? { bytes: new Uint8Array() };
    expect(size).toEqual({ width, height });
    const file = Buffer.from(bytes);
    const pixels = file.readUInt32LE(10);
    expect(file.length).toBe(pixels + 8 * height);
    const row = (layer: number) => [...file.subarray(pixels + 8 * (height - 1 - layer), pixels + 8 * (height - layer))];
    expect(row(0).slice(0, width)).toEqual([...shares.subarray(0, width)]);
    expect(row(2).slice(0, width)).toEqual([...shares.subarray(2 * width)]);
    const light = (share: number) => file.subarray(54 + 4 * share, 57 + 4 * share).reduce((sum, each) => sum + each, 0);
    for (let share = 1; share < 256; share++) expect(light(share)).toBeLessThanOrEqual(light(share - 1));
  });

  it("stands in the web page and in the Word file, with words for those who cannot see it", async () => {
    const { document } = parseHTML(summaryHtml(kept));
    const image = document.querySelector("img");
    expect(Buffer.from(image?.getAttribute("src")?.split(",")[1] ?? "", "base64")).toEqual(keptMap(kept)?.bytes);
    expect(image?.getAttribute("alt")).toMatch(/each row is a layer/i);
    const zip = await JSZip.loadAsync(await summaryDocx(kept));
    const [name] = Object.keys(zip.files).filter((file) => file.endsWith(".bmp"));
    expect(await zip.file(name ?? "")?.async("nodebuffer")).toEqual(keptMap(kept)?.bytes);
    expect(await zip.file("word/document.xml")?.async("string")).toMatch(/descr="Each row is a layer/);
  });

  it("is not there when it was not recorded, or does not fit the layers", () => {
    expect(keptMap(summaryResult())).toBeUndefined();
    expect(keptMap({ ...kept, kv: { ...kept.kv, layers: kept.kv.layers.slice(1) } })).toBeUndefined();
    expect(summaryHtml(summaryResult())).not.toContain("<img");
  });
});
