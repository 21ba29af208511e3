/** The next step for each kind of failure, as buttons. */

import type { WireError } from "../../electron/contract.js";
import { t } from "../../electron/language.js";
import type { NextStep } from "../components/ErrorNote.js";
import { formatPercent } from "./format.js";

/** The first percentage that an error's advice names ("… or 3.4%."). */
export function advisedShare(error: WireError): number | undefined {
  const match = /(\d+(?:\.\d+)?)\s?%/.exec(error.next ?? "");
  return match ? Number(match[1]) : undefined;
}

/** A file that could not be opened: trying again helps only when the file itself may have changed or the model is back. */
export function openingSteps(error: WireError, acts: { retry: () => void; close: () => void }): NextStep[] {
  const final = [
    "file-damaged",
    "file-encrypted",
    "file-empty",
    "file-type",
    "no-text-layer",
    "pdf-damaged",
    "pdf-encrypted",
  ].includes(error.code);
  const close = { label: t("common.closeDocument"), act: acts.close };
  const retry = { label: t("common.tryAgain"), act: acts.retry };
  return final ? [close, retry] : [retry, close];
}

/** A run that failed. @param less the share to try next where memory ran out; undefined when there is none */
export function runSteps(
  error: WireError,
  acts: { start: () => void; setShare: (share: number) => void },
  less?: number,
): NextStep[] {
  const again = { label: t("memory.startAgain"), act: acts.start };
  const share = error.code === "budget-too-small" ? advisedShare(error) : undefined;
  if (share !== undefined) {
    return [{ label: t("steps.raise", { share: formatPercent(share) }), act: () => acts.setShare(share) }];
  }
  if (error.code === "out-of-memory" && less !== undefined) {
    return [{ label: t("steps.set", { share: formatPercent(less) }), act: () => acts.setShare(less) }, again];
  }
  return error.code === "too-long" ? [] : [again];
}
