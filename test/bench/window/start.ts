/** How long the window takes from the start of its process until it answers, beside an empty one of Electron and React. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { WebSocket } from "undici";
import * as z from "zod";
import { findElectron } from "../../../scripts/setup/electron.mjs";
import { projectDir } from "../../e2e/support.js";
import { ownCacheHome } from "../../support/precis.js";

export interface Starts {
  /** Milliseconds, in the order of the rounds; a round of both stands at the same place. */
  readonly precis: readonly number[];
  readonly empty: readonly number[];
}

/** Both in turn. A start before the first round makes their profiles, and is not counted. */
export async function measureStarts(rounds: number): Promise<Starts> {
  const folder = await mkdtemp(join(tmpdir(), "precis-start-"));
  const cacheHome = ownCacheHome();
  try {
    const roots = { precis: projectDir, empty: await emptyApp(join(folder, "app")) };
    const times = { precis: [] as number[], empty: [] as number[] };
    for (let round = 0; round <= rounds; round++) {
      for (const name of ["precis", "empty"] as const) {
        const taken = await start(roots[name], join(folder, name), cacheHome);
        if (round > 0) times[name].push(taken);
      }
    }
    return times;
  } finally {
    for (const made of [folder, cacheHome]) await rm(made, { recursive: true, force: true });
  }
}

/** The smallest app that shows something of React's, built as Precis is. */
async function emptyApp(root: string): Promise<string> {
  const source = fileURLToPath(new URL("empty", import.meta.url));
  await cp(source, root, { recursive: true });
  await writeFile(
    join(root, "package.json"),
    JSON.stringify({ name: "empty", version: "0.0.0", type: "module", main: "main.mjs" }),
  );
  await build({
    entryPoints: [join(source, "window.tsx")],
    outfile: join(root, "window.js"),
    bundle: true,
    minify: true,
    format: "esm",
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"' },
  });
  return root;
}

async function start(root: string, profile: string, cacheHome: string): Promise<number> {
  const runtime = findElectron();
  if (!runtime) throw new Error("There is no Electron runtime.");
  // Chromium refuses to sandbox a process of root's.
  const sandbox = process.platform === "linux" && process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const args = [...sandbox, `--user-data-dir=${profile}`, "--remote-debugging-port=0", root];
  const began = Date.now();
  const app = spawn(runtime.executable, args, {
    env: { ...process.env, XDG_CACHE_HOME: cacheHome },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(app, "exit");
  try {
    const port = await debuggingPort(app);
    // The page that it begins with is soon replaced, and the question with it.
    for (let tries = 0; ; tries++) {
      try {
        return (await ask(await pageOf(port), answersSince)) - began;
      } catch (thrown) {
        if (tries === 500) throw thrown;
        await wait(20);
      }
    }
  } finally {
    app.kill();
    await Promise.race([ended, wait(10_000)]);
    app.kill("SIGKILL");
  }
}

/** What Chromium says on stderr once it can be asked. */
function debuggingPort(app: ChildProcess): Promise<string> {
  let written = "";
  return new Promise((resolve, reject) => {
    app.stderr?.on("data", (text) => {
      written += text;
      const [, address] = /DevTools listening on (ws:\S+)/.exec(written) ?? [];
      if (address) resolve(new URL(address).port);
    });
    app.once("exit", () => reject(new Error(`The window did not start:\n${written}`)));
  });
}

const targetsSchema = z.array(z.object({ type: z.string(), webSocketDebuggerUrl: z.string() }));

async function pageOf(port: string): Promise<string> {
  const targets = targetsSchema.parse(await (await fetch(`http://127.0.0.1:${port}/json/list`)).json());
  const page = targets.find(({ type }) => type === "page");
  if (!page) throw new Error("It has no page.");
  return page.webSocketDebuggerUrl;
}

/**
 * The time of day, in milliseconds, since when a page answers: what React has made of it is there and painted, and no task
 * of 50 ms or more has begun within half a second after that or after another such task.
 */
const answersSince = `(async () => {
  const quietMs = 500;
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  while (!document.querySelector("#root > *")) await pause(4);
  await Promise.race([new Promise(requestAnimationFrame), pause(1000)]);
  await pause(0);
  let since = performance.now();
  const tasks = [];
  new PerformanceObserver((list) => tasks.push(...list.getEntries())).observe({ type: "longtask", buffered: true });
  await pause(quietMs);
  for (const { startTime, duration } of tasks.sort((one, other) => one.startTime - other.startTime)) {
    if (startTime < since + quietMs) since = Math.max(since, startTime + duration);
  }
  return performance.timeOrigin + since;
})()`;

const answerSchema = z.object({ result: z.object({ result: z.object({ value: z.number() }) }) });

/** What an expression comes to in a page, over the debugging protocol. */
async function ask(address: string, expression: string): Promise<number> {
  const socket = new WebSocket(address);
  try {
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", reject);
    });
    const answer = new Promise<string>((resolve, reject) => {
      socket.addEventListener("message", ({ data }) => resolve(String(data)));
      socket.addEventListener("close", () => reject(new Error("The page is gone.")));
    });
    const params = { expression, awaitPromise: true, returnByValue: true };
    socket.send(JSON.stringify({ id: 1, method: "Runtime.evaluate", params }));
    return answerSchema.parse(JSON.parse(await answer)).result.result.value;
  } finally {
    socket.close();
  }
}
