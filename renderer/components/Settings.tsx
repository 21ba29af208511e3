import { useState } from "react";
import { t } from "../../electron/language.js";
import { useApp } from "../stores/connect.js";
import { useSettings } from "../stores/settings.js";
import { useViews } from "../stores/views.js";
import { type Control, findSettings, groupName, type Setting } from "../view/settings.js";
import { Sheet } from "./Sheet.js";

/** Every setting, with a search over them. */
export function Settings() {
  const shown = useViews((store) => store.shown === "settings");
  const close = useViews((store) => store.close);
  return (
    <Sheet title={t("settings.title")} shown={shown} close={() => close("settings")} kind="wide">
      {shown && <Groups close={() => close("settings")} />}
    </Sheet>
  );
}

function Groups({ close }: { close: () => void }) {
  const [query, setQuery] = useState("");
  const found = findSettings(query);
  const groups = [...new Set(found.map(({ group }) => group))];
  return (
    <>
      <input
        type="search"
        className="view-search"
        aria-label={t("settings.search")}
        placeholder={t("settings.search")}
        value={query}
        onChange={(event) => setQuery(event.target.value)}
      />
      <p className="visually-hidden" role="status">
        {query && t("settings.found", { count: found.length })}
      </p>
      <div className="settings">
        {found.length === 0 && <p className="small">{t("settings.none")}</p>}
        {groups.map((group) => (
          <section key={group} aria-label={groupName(group)}>
            <h3>{groupName(group)}</h3>
            {found
              .filter((setting) => setting.group === group)
              .map((setting) => (
                <Row key={setting.id} setting={setting} />
              ))}
          </section>
        ))}
      </div>
      <div className="buttons end">
        <button type="button" onClick={close}>
          {t("common.close")}
        </button>
      </div>
    </>
  );
}

function Row({ setting: { id, name, sentence, control } }: { setting: Setting }) {
  return (
    <div className="setting">
      <div>
        <label htmlFor={`setting-${id}`}>{name}</label>
        <p className="small" id={`about-${id}`}>
          {sentence}
        </p>
      </div>
      <Field id={id} control={control} />
    </div>
  );
}

function Field({ id, control }: { id: string; control: Control }) {
  const current = useSettings();
  const named = { id: `setting-${id}`, "aria-describedby": `about-${id}` };
  switch (control.kind) {
    case "choice":
      return (
        <select
          {...named}
          value={control.chosen(current)}
          onChange={(event) => current.choose(control.change(Number(event.target.value)))}
        >
          {control.chosen(current) < 0 && <option value={-1}>{t("settings.other")}</option>}
          {control.labels.map((label, index) => (
            <option key={label} value={index}>
              {label}
            </option>
          ))}
        </select>
      );
    case "number":
      return <NumberField named={named} control={control} />;
    case "text":
      return <TextField named={named} control={control} />;
    case "view":
      return <ViewButton named={named} control={control} />;
  }
}

interface FieldProps<Kind extends Control["kind"]> {
  readonly named: { readonly id: string; readonly "aria-describedby": string };
  readonly control: Extract<Control, { kind: Kind }>;
}

/** What is typed counts once it is a number within bounds; until then it is only shown. */
function NumberField({ named, control }: FieldProps<"number">) {
  const current = useSettings();
  const [typed, setTyped] = useState<string>();
  const { min, max, step, unit } = control;
  return (
    <span className="with-unit">
      <input
        {...named}
        type="number"
        min={min}
        max={max}
        step={step}
        value={typed ?? control.value(current)}
        onChange={(event) => {
          const { value, valueAsNumber } = event.target;
          setTyped(value);
          if (valueAsNumber >= min && valueAsNumber <= max) current.choose(control.change(valueAsNumber));
        }}
        onBlur={() => setTyped(undefined)}
      />
      <span>{unit}</span>
    </span>
  );
}

/** Taken when the field is left or Enter is pressed; what cannot be taken stays, with the reason. */
function TextField({ named, control }: FieldProps<"text">) {
  const current = useSettings();
  const [typed, setTyped] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const take = () => {
    if (typed === undefined) return;
    const change = control.change(typed);
    setProblem(typeof change === "string" ? change : undefined);
    if (typeof change === "string") return;
    current.choose(change);
    setTyped(undefined);
  };
  return (
    <span className="with-problem">
      <input
        {...named}
        type="text"
        placeholder={control.placeholder}
        spellCheck={false}
        aria-invalid={problem !== undefined}
        value={typed ?? control.value(current)}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={take}
        onKeyDown={(event) => event.key === "Enter" && take()}
      />
      {problem && (
        <span className="dialog-problem" role="alert">
          {problem}
        </span>
      )}
    </span>
  );
}

function ViewButton({ named, control: { label, view } }: FieldProps<"view">) {
  const show = useViews((store) => store.show);
  const showScanLanguages = useApp((store) => store.showScanLanguages);
  return (
    <button {...named} type="button" onClick={() => (view === "models" ? show("models") : showScanLanguages(true))}>
      {label}
    </button>
  );
}
