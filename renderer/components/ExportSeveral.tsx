import { type FormEvent, useState } from "react";
import type { ExportedSummaries, ExportFormat, LibraryEntry } from "../../electron/contract.js";
import { precis } from "../precis.js";
import { useLibrary } from "../stores/library.js";
import { useViews } from "../stores/views.js";
import { fileName } from "../view/format.js";
import { Sheet } from "./Sheet.js";

const formats: readonly (readonly [ExportFormat, string])[] = [
  ["pdf", "PDF"],
  ["docx", "Word document"],
  ["html", "Web page"],
  ["md", "Markdown"],
  ["json", "Data (JSON)"],
];

/** Saves the last summaries of several documents into a folder. With a tag chosen in the library, of its documents. */
export function ExportSeveral() {
  const shown = useViews((store) => store.shown === "export-several");
  const close = useViews((store) => store.close);
  const entries = useLibrary((store) => store.list?.entries);
  return (
    <Sheet title="Export several summaries" shown={shown} close={() => close("export-several")}>
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
    setProblem(answer.ok ? undefined : `${answer.error.message} ${answer.error.next ?? ""}`);
  };

  return (
    <form onSubmit={(event) => void onSubmit(event)}>
      <p className="small">
        {entries.length === 0
          ? "No document is summarised yet."
          : `The last summary of each is saved into a folder that you choose${tag ? `; listed are those tagged “${tag}”` : ""}. No file is overwritten.`}
      </p>
      <fieldset className="checks one-column">
        <legend className="visually-hidden">Documents</legend>
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
          <p>
            {outcome.written.length === 1 ? "1 summary" : `${outcome.written.length} summaries`} saved in{" "}
            {outcome.folder}.
          </p>
          {outcome.failed.map(({ path, error }) => (
            <p key={path} className="dialog-problem">
              {fileName(path)}: {error.message} {error.next}
            </p>
          ))}
        </div>
      )}
      <div className="buttons end">
        <select
          aria-label="Format"
          value={format}
          onChange={({ target }) => setFormat(formats.find(([value]) => value === target.value)?.[0] ?? "pdf")}
        >
          {formats.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
        <button type="button" onClick={close}>
          Close
        </button>
        <button type="submit" className="primary" disabled={working || paths.length === 0}>
          {working ? "Saving…" : `Export ${paths.length}…`}
        </button>
      </div>
    </form>
  );
}
