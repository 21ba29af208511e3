import { expect, it, vi } from "vitest";
import type { PrecisApi } from "../../electron/contract.js";
import { pageTexts } from "../../renderer/page-texts.js";
import { bridge } from "./support.js";

it("fetches pages together and once, and passes on why there are none", async () => {
  const fetched = vi.fn<PrecisApi["pageTexts"]>(async ({ first, last }) => {
    if (first > 100) return { ok: false, error: { code: "usage", message: "It is not open." } };
    const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    return { ok: true, value: numbers.filter((n) => n <= 60).map((number) => ({ number, text: `page ${number}` })) };
  });
  bridge({ pageTexts: fetched });
  const textOf = pageTexts("d");
  const pages = await Promise.all([textOf(1), textOf(50), textOf(2), textOf(60)]);
  expect(pages.map((outcome) => outcome.ok && outcome.value.text)).toEqual(["page 1", "page 50", "page 2", "page 60"]);
  expect(fetched.mock.calls.map(([{ first, last }]) => [first, last])).toEqual([
    [1, 50],
    [51, 100],
  ]);
  expect(await textOf(61)).toMatchObject({ ok: false });
  expect(await textOf(101)).toEqual({ ok: false, error: { code: "usage", message: "It is not open." } });
});
