/** Measured cases on disk, one JSON file each, so that a bench that was stopped goes on where it was. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Case, caseId } from "./cases.js";
import type { Outcome } from "./one.js";

/** What else a figure depends on. A stored case counts only for the conditions it was measured under. */
export interface Conditions {
  readonly machine: string;
  /** Key of the patched llama.cpp (its patch, sources and addon). */
  readonly runtime: string;
  /** The model file's name. */
  readonly file: string;
  readonly decode: number;
}

export class Store {
  constructor(private readonly folder: string) {}

  /** The case's outcome, or undefined when it was not measured under these conditions, or its file is damaged. */
  load(one: Case, conditions: Conditions): Outcome | undefined {
    const path = this.#path(one);
    if (!existsSync(path)) return undefined;
    try {
      const stored = JSON.parse(readFileSync(path, "utf8"));
      return sameConditions(stored.conditions, conditions) ? stored.outcome : undefined;
    } catch {
      return undefined;
    }
  }

  save(one: Case, conditions: Conditions, outcome: Outcome): void {
    mkdirSync(this.folder, { recursive: true });
    const path = this.#path(one);
    writeFileSync(`${path}.part`, JSON.stringify({ conditions, outcome }, undefined, 2));
    renameSync(`${path}.part`, path);
  }

  /** Forgets every case. */
  clear(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #path(one: Case): string {
    return join(this.folder, `${caseId(one)}.json`);
  }
}

function sameConditions(a: Conditions, b: Conditions): boolean {
  return a.machine === b.machine && a.runtime === b.runtime && a.file === b.file && a.decode === b.decode;
}
