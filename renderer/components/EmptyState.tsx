import { chooseFiles, openSample } from "../actions.js";
import { modifier } from "../keys.js";
import { useApp } from "../stores/connect.js";
import { useModel } from "../stores/model.js";
import { useModels } from "../stores/models.js";
import { useViews } from "../stores/views.js";
import { formatCount, plural } from "../view/format.js";
import { ErrorNote } from "./ErrorNote.js";

/** What to do first, and what this model can read. */
export function EmptyState() {
  const sample = useApp((store) => store.sample);
  const { model, state, error, fraction, ready } = useModel();
  const show = useViews((store) => store.show);
  // With the memory that is free now.
  const pages = useModels((store) => store.models?.find(({ chosen }) => chosen)?.reads.pages);
  return (
    <main className="empty">
      <div className="empty-sheet">
        <PageMark />
        <h1>Drop a document here</h1>
        <p className="lead">
          PDF, Word, PowerPoint, OpenDocument, EPUB, HTML, Markdown or text. Precis reads it whole, on this computer,
          within the memory you allow, and writes a summary. Nothing is sent anywhere.
        </p>
        <div className="buttons">
          <button type="button" className="primary" onClick={() => void chooseFiles()}>
            Open documents… <kbd>{modifier} O</kbd>
          </button>
          <button type="button" disabled={!sample} onClick={openSample}>
            Try the sample report
          </button>
        </div>
        {state === "failed" && error ? (
          <ErrorNote
            title="The model could not be loaded"
            error={error}
            steps={[
              { label: "Models…", act: () => show("models") },
              { label: "Try again", act: () => void ready() },
            ]}
          />
        ) : (
          <p className="small">
            {model
              ? `${model.id} reads up to ${formatCount(model.contextLength)} tokens in one go${pages ? `: about ${plural(pages, "page")} on this computer` : ""}.`
              : `Loading the model, ${Math.floor(100 * fraction)} %`}
          </p>
        )}
      </div>
    </main>
  );
}

/** A page whose lines shorten to a few: what Precis does, as its icon shows it. */
function PageMark() {
  return (
    <svg className="page-mark" viewBox="0 0 72 84" aria-hidden="true">
      <path className="sheet" d="M8 4h40l16 16v60H8z" />
      <path className="fold" d="M48 4v16h16" />
      <path className="line" d="M18 30h36M18 38h36M18 46h36M18 54h36" />
      <path className="kept" d="M18 38h22M18 66h28" />
    </svg>
  );
}
