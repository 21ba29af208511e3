import type { KeyboardEvent } from "react";
import type { RunOptions as Options } from "../../electron/contract.js";
import { t } from "../../electron/language.js";
import { startSelected } from "../actions.js";
import { useChosen } from "../stores/documents.js";
import { useSettings } from "../stores/settings.js";
import { label, languages, lengths, policyLabel, styles, summaryLanguage } from "../view/choices.js";

/** What the summary is to be; most people never touch it. */
export function RunOptions() {
  const { style, length, language, focus, choose } = useSettings();
  const chosen = useChosen();
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.nativeEvent.isComposing) return;
    event.preventDefault();
    startSelected();
  };
  return (
    <div className="run-options">
      {chosen.length > 1 && <SeveralDocuments count={chosen.length} />}
      <Choice label={t("choices.form")} value={style} options={styles()} onChange={(style) => choose({ style })} />
      <Segmented
        label={t("choices.length")}
        value={length}
        options={lengths()}
        onChange={(length) => choose({ length })}
      />
      <select
        aria-label={t("choices.language")}
        value={language}
        onChange={(event) => choose({ language: event.target.value })}
      >
        <option value="">{t("choices.sameLanguage")}</option>
        {languages().map(([word, name]) => (
          <option key={word} value={word}>
            {name}
          </option>
        ))}
      </select>
      <input
        type="text"
        className="focus"
        aria-label={t("choices.focus")}
        placeholder={t("choices.focusHint")}
        maxLength={1_000}
        value={focus}
        onChange={(event) => choose({ focus: event.target.value })}
        onKeyDown={onKeyDown}
      />
    </div>
  );
}

/** Chosen together in the library: a summary of each, or one of all. */
function SeveralDocuments({ count }: { count: number }) {
  const { together, style, choose } = useSettings();
  const chapters = style === "chapters";
  return (
    <Segmented
      label={t("choices.chosen", { count })}
      value={together && !chapters ? "together" : "each"}
      options={[
        ["each", t("choices.each")],
        ["together", t("choices.together")],
      ]}
      disabled={chapters}
      title={chapters ? t("choices.chaptersAlone") : undefined}
      onChange={(value) => choose({ together: value === "together" })}
    />
  );
}

interface ChoiceProps<Value extends string> {
  readonly label: string;
  readonly value: Value;
  readonly options: readonly (readonly [Value, string])[];
  readonly onChange: (value: Value) => void;
}

/** One of a list, in a menu. */
export function Choice<Value extends string>({
  label,
  value,
  options,
  onChange,
  disabled,
  describedBy,
}: ChoiceProps<Value> & { disabled?: boolean; describedBy?: string }) {
  return (
    <select
      aria-label={label}
      aria-describedby={describedBy}
      disabled={disabled}
      value={value}
      onChange={(event) => {
        const chosen = options.find(([each]) => each === event.target.value);
        if (chosen) onChange(chosen[0]);
      }}
    >
      {options.map(([each, words]) => (
        <option key={each} value={each}>
          {words}
        </option>
      ))}
    </select>
  );
}

/** One of a few, side by side. */
function Segmented<Value extends string>({
  label,
  value,
  options,
  onChange,
  disabled,
  title,
}: ChoiceProps<Value> & { disabled?: boolean; title?: string | undefined }) {
  return (
    <fieldset className="segmented" disabled={disabled} title={title}>
      <legend className="visually-hidden">{label}</legend>
      {options.map(([each, words]) => (
        <label key={each}>
          <input type="radio" name={label} checked={value === each} onChange={() => onChange(each)} />
          <span>{words}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** The same choices while a run goes on, when they cannot be changed. */
export function ChosenOptions({ options }: { options: Options }) {
  const { style = "paragraph", length, language, focus, policy, reading } = options;
  const chosen = [
    label(styles(), style),
    label(lengths(), length),
    language === undefined ? t("choices.sameLanguage") : summaryLanguage(language),
    policyLabel(policy),
    ...(reading === "fast" ? [t("choices.readFast")] : []),
  ];
  return (
    <p className="small chosen-options" title={focus}>
      {[...chosen, ...(focus === undefined ? [] : [t("choices.dwellsOn", { focus })])].join(" · ")}
    </p>
  );
}
