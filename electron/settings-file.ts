/** The settings on disk: read once, written a moment after each change, whole or not at all. */

import { readFileSync, renameSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import { type PrecisError, toPrecisError } from "../core/errors.js";
import { writeFileAtomically } from "../core/write.js";
import { firstSettings } from "./first-settings.js";
import { t } from "./language.js";
import { type Settings, type SettingsChange, settingsSchema } from "./settings.js";

/** Gathers the changes of a slider that is dragged. */
const pauseMs = 300;

export class SettingsFile {
  /** What could not be read, for the user; undefined when all was well. */
  readonly notice: string | undefined;
  private settings: Settings;
  private timer: NodeJS.Timeout | undefined;
  private written: Promise<void> = Promise.resolve();

  /** @param onProblem hears why settings could not be written; they stay in force until the end */
  constructor(
    private readonly file: string,
    private readonly onProblem: (error: PrecisError) => void,
  ) {
    const { settings, notice } = readSettings(file);
    this.settings = settings;
    this.notice = notice;
  }

  get current(): Settings {
    return this.settings;
  }

  change(change: SettingsChange): Settings {
    this.settings = settingsSchema.parse({ ...this.settings, ...change });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush(), pauseMs);
    return this.settings;
  }

  /** Writes what is not written yet. */
  async flush(): Promise<void> {
    if (this.timer) {
      clearTimeout(this.timer);
      this.timer = undefined;
      const content = `${JSON.stringify(this.settings, undefined, 2)}\n`;
      // One write after the other, or an older one could come last.
      this.written = this.written.then(() => this.write(content));
    }
    await this.written;
  }

  private async write(content: string): Promise<void> {
    try {
      await mkdir(path.dirname(this.file), { recursive: true });
      await writeFileAtomically(this.file, content);
    } catch (thrown) {
      this.onProblem(toPrecisError(thrown));
    }
  }
}

/** What a damaged file held is kept beside it. */
function readSettings(file: string): { settings: Settings; notice: string | undefined } {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { settings: firstSettings, notice: undefined };
    const reason = error instanceof Error ? error.message : String(error);
    return { settings: firstSettings, notice: t("errors.settingsUnreadable", { reason }) };
  }
  const saved = parsed(text);
  if (!saved) {
    return {
      settings: firstSettings,
      notice: `${t("errors.settingsDamaged")}${keep(file)}`,
    };
  }
  const bad: string[] = [];
  const entries = Object.entries(settingsSchema.shape).map(([name, schema]) => {
    const first = firstSettings[name as keyof Settings];
    const value = schema.safeParse(saved[name] ?? first);
    if (!value.success) bad.push(name);
    return [name, value.success ? value.data : first];
  });
  const settings = settingsSchema.parse(Object.fromEntries(entries));
  if (bad.length === 0) return { settings, notice: undefined };
  return { settings, notice: `${t("errors.settingsBad", { names: bad.join(", ") })}${keep(file)}` };
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function keep(file: string): string {
  const aside = `${file}.damaged`;
  try {
    renameSync(file, aside);
    return ` ${t("errors.settingsKept", { file: aside })}`;
  } catch {
    return "";
  }
}
