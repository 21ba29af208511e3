/** The pages' texts as they were read out of the document, fetched a few at a time. */

import type { Outcome, PageText } from "../electron/contract.js";
import { t } from "../electron/language.js";
import { precis } from "./precis.js";

/** Pages that are fetched together. */
const together = 50;

/** @returns the text of each page when it is first asked for, and again at once */
export function pageTexts(documentId: string): (page: number) => Promise<Outcome<PageText>> {
  const fetched = new Map<number, Promise<Outcome<PageText[]>>>();
  return async (page) => {
    const first = page - ((page - 1) % together);
    const pages = fetched.get(first) ?? precis().pageTexts({ documentId, first, last: first + together - 1 });
    fetched.set(first, pages);
    const outcome = await pages;
    if (!outcome.ok) return outcome;
    const found = outcome.value.find(({ number }) => number === page);
    if (found) return { ok: true, value: found };
    return { ok: false, error: { code: "usage", message: t("pages.noPage", { page }) } };
  };
}
