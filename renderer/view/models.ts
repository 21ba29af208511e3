/** What the window says of a model. */
import type { ModelActivity, WindowModel } from "../../electron/contract.js";
import { formatBytes, formatCount, formatRemaining, languageNames } from "./format.js";

export const sizeWords = ({ bytes, exact }: Pick<WindowModel, "bytes" | "exact">): string =>
  `${exact ? "" : "about "}${formatBytes(bytes)}`;

/** "English, German, French and 9 others"; undefined where no language is known. */
export function languageWords({
  languages,
  moreLanguages,
}: Pick<WindowModel, "languages" | "moreLanguages">): string | undefined {
  const names = languages.map((code) => languageNames.of(code) ?? code);
  const [shown, rest] = [names.slice(0, 3), names.length - 3];
  if (names.length === 0) return undefined;
  if (rest <= 0) return `${shown.join(", ")}${moreLanguages ? " and more" : ""}`;
  return `${shown.join(", ")} and ${moreLanguages ? "more than " : ""}${rest} others`;
}

/** What this computer can read with a model, in one sentence. */
export function capacityWords({ reads, contextLength }: Pick<WindowModel, "reads" | "contextLength">): string {
  if (reads.tokens === 0) return "It does not fit the memory that is free now.";
  const pages = `Reads about ${formatCount(reads.pages)} pages in one go on this computer`;
  return reads.limit === "memory"
    ? `${pages}; more with more memory free (up to ${formatCount(contextLength)} tokens).`
    : `${pages}: ${formatCount(contextLength)} tokens.`;
}

/** How a download or check fares. */
export function activityWords(activity: ModelActivity): string {
  switch (activity.kind) {
    case "downloading": {
      const { stage, bytes, totalBytes, remainingMs } = activity;
      if (stage === "connecting") return "Connecting…";
      if (stage === "checking") return "Checking every byte…";
      const left = remainingMs === undefined ? "" : `, ${formatRemaining(remainingMs)} left`;
      return `${formatBytes(bytes)} of ${formatBytes(totalBytes)}${left}`;
    }
    case "verifying":
      return `Checking every byte, ${Math.floor(100 * activity.fraction)} %`;
    case "verified":
      return "Every byte is right.";
    case "failed":
      return activity.error.message;
  }
}

/** 0..1; undefined while it cannot be known. */
export function activityFraction(activity: ModelActivity): number | undefined {
  if (activity.kind === "verifying") return activity.fraction;
  if (activity.kind !== "downloading" || activity.totalBytes === 0) return undefined;
  return activity.bytes / activity.totalBytes;
}
