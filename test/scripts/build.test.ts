import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build } from "../../scripts/build.mjs";

/** A project of four files that stands for Precis. */
const sources: Record<string, string> = {
  "electron/main.ts":
    'import { app } from "electron";\nimport { part } from "./part.js";\nawait app.whenReady();\nconsole.log(part);\n',
  "electron/part.ts": 'export const part: string = "bundled part";\n',
  "electron/preload.ts":
    'import { contextBridge } from "electron";\ncontextBridge.exposeInMainWorld("precis", { version: 1 });\n',
  "core/worker/main.ts":
    'import { createRequire } from "node:module";\nimport { getLlama } from "node-llama-cpp";\nconst require = createRequire(import.meta.url);\nconsole.log(getLlama, require.resolve("pdfjs-dist/package.json"), await import("pdfjs-dist"));\n',
  "renderer/index.html":
    '<!doctype html><html><body><div id="root"></div><script type="module" src="./main.tsx"></script></body></html>\n',
  "renderer/main.tsx":
    'import { createRoot } from "react-dom/client";\ncreateRoot(document.getElementById("root") as HTMLElement).render(<p>hello window</p>);\n',
  "tsconfig.json": '{ "compilerOptions": { "jsx": "react-jsx", "module": "NodeNext" } }\n',
  "package.json": '{ "type": "module" }\n',
};

let root: string;
const built = (file: string) => readFileSync(join(root, "dist", file), "utf8");

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "precis-build-"));
  for (const [file, text] of Object.entries(sources)) {
    mkdirSync(join(root, file, ".."), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  symlinkSync(join(process.cwd(), "node_modules"), join(root, "node_modules"), "junction");
  mkdirSync(join(root, "dist"));
  writeFileSync(join(root, "dist", "left-over.js"), "");
  await build(root);
}, 60_000);

afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("build", () => {
  it("bundles the main process as an ES module that still imports Electron", () => {
    expect(built("electron/main.mjs")).toMatch(/import ?\{ ?app ?\} ?from ?"electron"/);
    expect(built("electron/main.mjs")).toContain("bundled part");
  });

  it("bundles the preload as CommonJS, which is all a sandbox takes", () => {
    expect(built("electron/preload.cjs")).toMatch(/require\("electron"\)/);
    expect(built("electron/preload.cjs")).not.toMatch(/^(import|export) /m);
  });

  it("leaves packages with files of their own outside the worker's bundle", () => {
    expect(built("worker/main.mjs")).toMatch(/from "node-llama-cpp"/);
    expect(built("worker/main.mjs")).toMatch(/import\("pdfjs-dist"\)/);
  });

  it("builds the window with relative addresses and React inside", () => {
    const [, script = ""] = built("renderer/index.html").match(/src="\.\/(assets\/[^"]+\.js)"/) ?? [];
    expect(built(`renderer/${script}`)).toContain("hello window");
  });

  it("leaves nothing of an earlier build", () => {
    expect(() => built("left-over.js")).toThrow(/ENOENT/);
  });
});
