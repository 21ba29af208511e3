import type { KeyboardEvent } from "react";
import type { RunOptions as Options } from "../../electron/contract.js";
import { startSelected } from "../actions.js";
import { useChosen } from "../stores/documents.js";
import { useSettings } from "../stores/settings.js";
import { languages, lengths, styles } from "../view/choices.js";
import { plural } from "../view/format.js";

/** Every policy by what it is called; the first is the default. */
export const policies = [
  ["dynamickv", "DynamicKV"],
  ["dynamickv-paper", "DynamicKV, as published"],
  ["snapkv", "SnapKV"],
  ["pyramidkv", "PyramidKV"],
  ["ada-kv", "Ada-KV"],
  ["cake", "CAKE"],
  ["chunkkv", "ChunkKV"],
  ["expected-attention", "Expected Attention"],
  ["keydiff", "KeyDiff"],
  ["h2o", "H2O"],
  ["streaming-llm", "StreamingLLM"],
  ["full", "Full cache"],
] as const satisfies readonly (readonly [Options["policy"], string])[];

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
      <Choice label="Form of the summary" value={style} options={styles} onChange={(style) => choose({ style })} />
      <Segmented
        label="Length of the summary"
        value={length}
        options={lengths}
        onChange={(length) => choose({ length })}
      />
      <select
        aria-label="Language of the summary"
        value={language}
        onChange={(event) => choose({ language: event.target.value })}
      >
        <option value="">Same language</option>
        {languages.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <input
        type="text"
        className="focus"
        aria-label="What the summary dwells on"
        placeholder="Dwell on a question…"
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
      label={`${plural(count, "document")} are chosen`}
      value={together && !chapters ? "together" : "each"}
      options={[
        ["each", "Each on its own"],
        ["together", "One summary"],
      ]}
      disabled={chapters}
      title={chapters ? "Chapters are of one document." : undefined}
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
export function Choice<Value extends string>({ label, value, options, onChange }: ChoiceProps<Value>) {
  return (
    <select
      aria-label={label}
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

const label = (pairs: readonly (readonly [string, string])[], value: string) =>
  pairs.find(([key]) => key === value)?.[1] ?? value;

export const policyLabel = (policy: string): string => label(policies, policy);

/** The same choices while a run goes on, when they cannot be changed. */
export function ChosenOptions({ options }: { options: Options }) {
  const { style = "paragraph", length, language, focus, policy } = options;
  const chosen = [label(styles, style), label(lengths, length), language ?? "Same language", policyLabel(policy)];
  return (
    <p className="small chosen-options" title={focus}>
      {[...chosen, ...(focus === undefined ? [] : [`Dwells on “${focus}”`])].join(" · ")}
    </p>
  );
}
