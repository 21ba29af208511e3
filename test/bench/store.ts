/** Measured cases on disk, one JSON file each, so that a run that was stopped goes on where it was. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What else a figure depends on. A stored case counts only for the conditions it was measured under. */
export type Conditions = Readonly<Record<string, string | number>>;

/** Outcomes are plain data; a case's id is a file name. */
export class Store<Outcome> {
  constructor(private readonly folder: string) {}

  /** The case's outcome, or undefined when it was not measured under these conditions, or its file is damaged. */
  load(id: string, conditions: Conditions): Outcome | undefined {
    const path = this.#path(id);
    if (!existsSync(path)) return undefined;
    try {
      const stored = JSON.parse(readFileSync(path, "utf8"));
      return sameConditions(stored.conditions, conditions) ? stored.outcome : undefined;
    } catch {
      return undefined;
    }
  }

  save(id: string, conditions: Conditions, outcome: Outcome): void {
    mkdirSync(this.folder, { recursive: true });
    const path = this.#path(id);
    writeFileSync(`${path}.part`, JSON.stringify({ conditions, outcome }));
    renameSync(`${path}.part`, path);
  }

  /** Forgets every case. */
  clear(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #path(id: string): string {
    return join(this.folder, `${id}.json`);
  }
}

function sameConditions(a: Conditions, b: Conditions): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => a[name] === b[name]);
}
