/** Where and when something was measured, as the pages of figures say it. */
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from "node:os";
import { formatBytes } from "../../core/format.js";

const cores = cpus().length;
// `taskset` gives fewer, where other programs are at work
const given = availableParallelism() < cores ? `${availableParallelism()} of ` : "";
export const machine = `${given}${cores} x ${cpus()[0]?.model.trim()}, ${formatBytes(totalmem())} of memory, ${platform()} ${release()} ${arch()}, Node.js ${process.version}`;
/** How busy it is with other programs, in cores; 0 on Windows, which has no load averages. */
export const load = (): number => loadavg()[0] ?? 0;
export const today = new Date().toISOString().slice(0, 10);
