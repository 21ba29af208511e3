import type { RunOptions as Options } from "../../electron/contract.js";
import { useSettings } from "../stores/settings.js";

const lengths = [
  ["short", "Short"],
  ["medium", "Medium"],
  ["long", "Long"],
] as const;

const policies = [
  ["dynamickv", "DynamicKV"],
  ["snapkv", "SnapKV"],
  ["full", "Full cache"],
] as const;

const languages = [
  "English",
  "German",
  "French",
  "Spanish",
  "Italian",
  "Portuguese",
  "Dutch",
  "Polish",
  "Japanese",
  "Chinese",
];

/** The choices beside memory, small: most people never touch them. */
export function RunOptions() {
  const { length, language, policy, choose } = useSettings();
  return (
    <div className="run-options">
      <fieldset className="segmented">
        <legend className="visually-hidden">Length of the summary</legend>
        {lengths.map(([value, label]) => (
          <label key={value}>
            <input type="radio" name="length" checked={length === value} onChange={() => choose({ length: value })} />
            <span>{label}</span>
          </label>
        ))}
      </fieldset>
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
      <select
        aria-label="How memory is chosen"
        value={policy}
        onChange={(event) => {
          const chosen = policies.find(([value]) => value === event.target.value);
          if (chosen) choose({ policy: chosen[0] });
        }}
      >
        {policies.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </div>
  );
}

const label = (pairs: readonly (readonly [string, string])[], value: string) =>
  pairs.find(([key]) => key === value)?.[1] ?? value;

export const policyLabel = (policy: string): string => label(policies, policy);

/** The same choices while a run goes on, when they cannot be changed. */
export function ChosenOptions({ options }: { options: Options }) {
  const chosen = [label(lengths, options.length), options.language ?? "Same language", policyLabel(options.policy)];
  return <p className="small">{chosen.join(" · ")}</p>;
}
