import { readFileSync } from "node:fs";

/** Resident bytes of this process, now or at most. getrusage's maximum would count the parent's pages before exec. */
export function rss(field: "VmRSS" | "VmHWM"): number {
  if (process.platform !== "linux") {
    return field === "VmRSS" ? process.memoryUsage.rss() : process.resourceUsage().maxRSS * 1024;
  }
  const line = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(readFileSync("/proc/self/status", "utf8"));
  return Number(line?.[1]) * 1024;
}
