import { type FormEvent, useEffect, useId, useState } from "react";
import { t } from "../../electron/language.js";
import { precis } from "../precis.js";
import { type Tagged, useLibrary } from "../stores/library.js";
import { errorWords, formatCount } from "../view/format.js";
import { Sheet } from "./Sheet.js";

/** Which tag's documents are listed and found; nothing while there are no tags. */
export function TagFilter() {
  const list = useLibrary((store) => store.list);
  const tag = useLibrary((store) => store.tag);
  const only = useLibrary((store) => store.only);
  if (!list || list.tags.length === 0) return null;
  return (
    <fieldset className="tags tag-filter" aria-label={t("tags.filter")}>
      {list.tags.map(({ tag: name, documents }) => (
        <button
          key={name}
          type="button"
          className="tag"
          aria-pressed={name === tag}
          onClick={() => only(name === tag ? undefined : name)}
        >
          {name} <small>{formatCount(documents)}</small>
        </button>
      ))}
    </fieldset>
  );
}

/** The button that opens the tags of a document. */
export function TagButton({ path, title }: Tagged) {
  const changeTags = useLibrary((store) => store.changeTags);
  return (
    <button
      type="button"
      aria-label={t("tags.of", { title })}
      title={t("tags.title")}
      onClick={() => changeTags({ path, title })}
    >
      <svg viewBox="0 0 12 12" aria-hidden="true">
        <path d="M1.5 1.5h4.2l4.8 4.8-4.2 4.2-4.8-4.8zM3.7 3.7h.01" />
      </svg>
    </button>
  );
}

/** The dialog that it opens: outside of the lists, whose keys are not its own. */
export function Tagging() {
  const document = useLibrary((store) => store.tagging);
  const changeTags = useLibrary((store) => store.changeTags);
  const close = () => changeTags(undefined);
  return (
    <Sheet title={t("tags.ofQuoted", { title: document?.title ?? "" })} shown={document !== undefined} close={close}>
      {document && <TagForm key={document.path} path={document.path} close={close} />}
    </Sheet>
  );
}

function TagForm({ path, close }: { path: string; close: () => void }) {
  const { list, refresh } = useLibrary();
  const [tags, setTags] = useState<readonly string[]>([]);
  const [problem, setProblem] = useState<string>();
  const [text, setText] = useState("");
  const id = useId();

  const change = async (what: { add?: string; remove?: string }) => {
    const outcome = await precis().libraryTag({ path, ...what });
    if (!outcome.ok) return setProblem(errorWords(outcome.error));
    setTags(outcome.value);
    setProblem(undefined);
    void refresh();
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it opens
  useEffect(() => {
    void change({});
  }, []);
  const add = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() !== "") void change({ add: text.trim() });
    setText("");
  };

  return (
    <>
      {tags.length === 0 && <p className="small">{t("tags.none")}</p>}
      <ul className="tags">
        {tags.map((tag) => (
          <li key={tag} className="tag">
            {tag}
            <button type="button" aria-label={t("tags.remove", { tag })} onClick={() => void change({ remove: tag })}>
              <svg viewBox="0 0 12 12" aria-hidden="true">
                <path d="M3 3l6 6m0-6l-6 6" />
              </svg>
            </button>
          </li>
        ))}
      </ul>
      {problem && (
        <p className="dialog-problem" role="alert">
          {problem}
        </p>
      )}
      <form className="tag-form" onSubmit={add}>
        <input
          type="text"
          aria-label={t("tags.new")}
          placeholder={t("tags.new")}
          list={`${id}-known`}
          maxLength={60}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <datalist id={`${id}-known`}>
          {list?.tags.map(({ tag }) => (
            <option key={tag} value={tag} />
          ))}
        </datalist>
        <button type="submit" disabled={text.trim() === ""}>
          {t("tags.add")}
        </button>
      </form>
      <div className="buttons end">
        <button type="button" onClick={close}>
          {t("common.close")}
        </button>
      </div>
    </>
  );
}
