/** What the window says of a model. */

import type { ModelActivity, WindowModel } from "../../electron/contract.js";
import { type Key, language, t } from "../../electron/language.js";
import { translated } from "../../electron/translation.js";
import { formatBytes, formatCount, formatFraction, formatRemaining, formatSeries, languageName } from "./format.js";

export const sizeWords = ({ bytes, exact }: Pick<WindowModel, "bytes" | "exact">): string =>
  exact ? formatBytes(bytes) : t("models.aboutBytes", { bytes: formatBytes(bytes) });

/** "English, German, French and 9 others", the window's own first; undefined where no language is known. */
export function languageWords({
  languages,
  moreLanguages,
}: Pick<WindowModel, "languages" | "moreLanguages">): string | undefined {
  const own = language().split("-")[0];
  const names = [...languages].sort((a, b) => Number(b === own) - Number(a === own)).map(languageName);
  const [shown, count] = [formatSeries(names.slice(0, 3)), names.length - 3];
  if (names.length === 0) return undefined;
  if (count <= 0) return moreLanguages ? t("models.languagesMore", { languages: shown }) : shown;
  return moreLanguages
    ? t("models.languagesMoreThan", { languages: shown, count })
    : t("models.languagesOthers", { languages: shown, count });
}

/** For whom a model is. @param id i18next would take a dot for the end of a part */
export const aboutWords = ({ id, kind, path }: Pick<WindowModel, "id" | "kind" | "path">): string =>
  kind === "added" ? t("models.addedByYou", { path }) : t(`catalogue.${id.replaceAll(".", "_")}` as Key);

/** What this computer can read with a model, in one sentence. */
export function capacityWords({ reads, contextLength }: Pick<WindowModel, "reads" | "contextLength">): string {
  if (reads.tokens === 0) return t("models.noRoom");
  const values = { count: reads.pages, tokens: formatCount(contextLength) };
  return reads.limit === "memory" ? t("models.readsByMemory", values) : t("models.reads", values);
}

/** How a download or check fares. */
export function activityWords(activity: ModelActivity): string {
  switch (activity.kind) {
    case "downloading": {
      const { stage, bytes, totalBytes, remainingMs } = activity;
      if (stage === "connecting") return t("models.connecting");
      if (stage === "checking") return t("models.checking");
      const values = { bytes: formatBytes(bytes), total: formatBytes(totalBytes) };
      return remainingMs === undefined
        ? t("models.received", values)
        : t("models.receivedLeft", { ...values, time: formatRemaining(remainingMs) });
    }
    case "verifying":
      return t("models.checkingShare", { share: formatFraction(activity.fraction) });
    case "verified":
      return t("models.verified");
    case "failed":
      return translated(activity.error.message);
  }
}

/** 0..1; undefined while it cannot be known. */
export function activityFraction(activity: ModelActivity): number | undefined {
  if (activity.kind === "verifying") return activity.fraction;
  if (activity.kind !== "downloading" || activity.totalBytes === 0) return undefined;
  return activity.bytes / activity.totalBytes;
}
