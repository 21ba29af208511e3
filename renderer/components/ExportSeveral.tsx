import { type FormEvent, useState } from "react";
import type { ExportedSummaries, ExportFormat, LibraryEntry } from "../../electron/contract.js";
import { t } from "../../electron/language.js";
import { precis } from "../precis.js";
import { useLibrary } from "../stores/library.js";
import { useViews } from "../stores/views.js";
import { exportFormats } from "../view/choices.js";
import { errorWords, fileName, formatCount } from "../view/format.js";
import { Sheet } from "./Sheet.js";

/** Saves the last summaries of several documents into a folder. With a tag chosen in the library, of its documents. */
export function ExportSeveral() {
  const shown = useViews((store) => store.shown === "export-several");
  const close = useViews((store) => store.close);
  const entries = useLibrary((store) => store.list?.entries);
  return (
    <Sheet title={t("several.title")} shown={shown} close={() => close("export-several")}>
      {shown && (
        <Form entries={(entries ?? []).filter(({ summarised }) => summarised)} close={() => close("export-several")} />
      )}
    </Sheet>
  );
}

function Form({ entries, close }: { entries: readonly LibraryEntry[]; close: () => void }) {
  const tag = useLibrary((store) => store.tag);
  const [left, setLeft] = useState<readonly string[]>([]);
  const [format, setFormat] = useState<ExportFormat>("pdf");
  const [working, setWorking] = useState(false);
  const [outcome, setOutcome] = useState<ExportedSummaries>();
  const [problem, setProblem] = useState<string>();
  const paths = entries.map(({ path }) => path).filter((path) => !left.includes(path));

  const onSubmit = async (event: FormEvent) => {
    event.preventDefault();
    setWorking(true);
    const answer = await precis().exportSummaries({ paths, format });
    setWorking(false);
    setOutcome(answer.ok ? answer.value : undefined);
    setProblem(answer.ok ? undefined : errorWords(answer.error));
  };

  return (
    <form onSubmit={(event) => void onSubmit(event)}>
      <p className="small">
        {entries.length === 0
          ? t("several.none")
          : tag === undefined
            ? t("several.about")
            : t("several.aboutTag", { tag })}
      </p>
      <fieldset className="checks one-column">
        <legend className="visually-hidden">{t("documents.title")}</legend>
        {entries.map(({ path, title }) => (
          <label key={path} title={path}>
            <input
              type="checkbox"
              checked={!left.includes(path)}
              onChange={({ target }) =>
                setLeft(target.checked ? left.filter((other) => other !== path) : [...left, path])
              }
            />
            <span>{title}</span>
          </label>
        ))}
      </fieldset>
      {problem && (
        <p className="dialog-problem" role="alert">
          {problem}
        </p>
      )}
      {outcome && (
        <div role="status">
          <p>{t("several.saved", { count: outcome.written.length, folder: outcome.folder })}</p>
          {outcome.failed.map(({ path, error }) => (
            <p key={path} className="dialog-problem">
              {fileName(path)}: {errorWords(error)}
            </p>
          ))}
        </div>
      )}
      <div className="buttons end">
        <select
          aria-label={t("several.format")}
          value={format}
          onChange={({ target }) => setFormat(exportFormats().find(([value]) => value === target.value)?.[0] ?? "pdf")}
        >
          {exportFormats().map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
        <button type="button" onClick={close}>
          {t("common.close")}
        </button>
        <button type="submit" className="primary" disabled={working || paths.length === 0}>
          {working ? t("several.saving") : t("several.export", { number: formatCount(paths.length) })}
        </button>
      </div>
    </form>
  );
}
