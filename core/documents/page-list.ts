import { said } from "../said.js";
import type { PageUnit } from "./document.js";

/** Of one number, and of several. */
const named: Readonly<Record<PageUnit, readonly [(number: string) => string, (numbers: string) => string]>> = {
  page: [(number) => said`page ${number}`, (numbers) => said`pages ${numbers}`],
  chapter: [(number) => said`chapter ${number}`, (numbers) => said`chapters ${numbers}`],
  slide: [(number) => said`slide ${number}`, (numbers) => said`slides ${numbers}`],
  section: [(number) => said`section ${number}`, (numbers) => said`sections ${numbers}`],
};

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
  return named[unit][numbers.length > 1 ? 1 : 0](listed);
}
