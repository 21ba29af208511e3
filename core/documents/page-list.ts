import type { PageUnit } from "./document.js";

/**
 * Page numbers in words: `[1, 2, 3, 7]` becomes "pages 1 to 3 and 7", `[4]` becomes "page 4".
 * @param numbers ascending, 1-based
 */
export function pageList(numbers: readonly number[], unit: PageUnit = "page"): string {
  const ranges: string[] = [];
  let first = 0;
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i] as number;
    if (numbers[i + 1] === number + 1) continue;
    const start = numbers[first] as number;
    if (start === number) ranges.push(`${number}`);
    else if (start + 1 === number) ranges.push(`${start}`, `${number}`);
    else ranges.push(`${start} to ${number}`);
    first = i + 1;
  }
  const last = ranges.pop() ?? "none";
  const listed = ranges.length > 0 ? `${ranges.join(", ")} and ${last}` : last;
  return `${unit}${numbers.length > 1 ? "s" : ""} ${listed}`;
}
