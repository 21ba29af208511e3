import { type ComponentProps, createContext, type ReactNode, useContext, useId, useState } from "react";
import { t } from "../../electron/language.js";
import { loadAgain } from "../stores/connect.js";
import { useModel } from "../stores/model.js";
import { useSettings } from "../stores/settings.js";
import { agreements, storedAgreements } from "../view/budget.js";
import { policies } from "../view/choices.js";
import { formatPercent } from "../view/format.js";
import { Choice } from "./RunOptions.js";

const kvTypes = () =>
  [
    ["automatic", t("advanced.auto")],
    ["f16", t("advanced.f16")],
    ["q8_0", t("advanced.q8")],
    ["q4_0", t("advanced.q4")],
  ] as const;

const readings = () =>
  [
    ["thorough", t("advanced.thorough")],
    ["fast", t("advanced.fast")],
  ] as const;

const aims = () =>
  [
    ["checked", t("advanced.checked")],
    ["draft", t("advanced.draft")],
    ["off", t("advanced.off")],
  ] as const;

/** What an option does, in words, shown below all of them. */
const Explain = createContext<(hint: string | undefined) => void>(() => {});

/** What only those look for who know the method; what each does is said while it has the pointer or the focus. */
export function AdvancedOptions() {
  const { policy, kvType, reading, reaim, groupLayers, gpuLayers, threads, seed, choose } = useSettings();
  const gpu = useModel((store) => store.model?.gpu);
  const [hint, explain] = useState<string>();
  return (
    <div className="advanced-options">
      <Explain value={explain}>
        <LabelledChoice
          name={t("advanced.policy")}
          hint={t("advanced.policyHint")}
          value={policy}
          options={policies()}
          onChange={(policy) => choose({ policy })}
        />
        <LabelledChoice
          name={t("advanced.kvType")}
          hint={t("advanced.kvTypeHint", storedAgreements)}
          value={kvType ?? "automatic"}
          options={kvTypes()}
          onChange={(kvType) => choose({ kvType: kvType === "automatic" ? undefined : kvType })}
        />
        <LabelledChoice
          name={t("advanced.reading")}
          hint={t("advanced.readingHint")}
          value={reading}
          options={readings()}
          disabled={policy === "full"}
          onChange={(reading) => choose({ reading })}
        />
        <LabelledChoice
          name={t("advanced.reaim")}
          hint={t("advanced.reaimHint", {
            checked: formatPercent(agreements.checked),
            draft: formatPercent(agreements.draft),
            off: formatPercent(agreements.off),
          })}
          value={reaim}
          options={aims()}
          disabled={policy === "full" || reading === "fast"}
          onChange={(reaim) => choose({ reaim })}
        />
        <Whole
          name={t("advanced.layers")}
          hint={t("advanced.layersHint")}
          value={groupLayers}
          most={1_000}
          onChange={(groupLayers) => choose({ groupLayers })}
        />
        <Whole
          name={t("advanced.gpuLayers")}
          hint={gpu ? t("advanced.gpuLayersHint") : t("advanced.noGpu")}
          value={gpuLayers}
          least={0}
          most={1_000}
          disabled={gpu === undefined && gpuLayers === undefined}
          onChange={(gpuLayers) => {
            choose({ gpuLayers });
            loadAgain();
          }}
        />
        <Whole
          name={t("advanced.threads")}
          hint={t("advanced.threadsHint")}
          value={threads}
          most={512}
          onChange={(threads) => choose({ threads })}
        />
        <Whole
          name={t("advanced.seed")}
          hint={t("advanced.seedHint")}
          value={seed}
          least={0}
          most={0xffff_ffff}
          onChange={(seed = 1) => choose({ seed })}
        />
      </Explain>
      <p className="small advanced-hint">{hint ?? t("advanced.about")}</p>
    </div>
  );
}

interface LabelledProps {
  readonly name: string;
  readonly hint: string;
  /** The field, described by the hint with this id. */
  readonly children: (hintId: string) => ReactNode;
}

function Labelled({ name, hint, children }: LabelledProps) {
  const explain = useContext(Explain);
  const id = useId();
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: nothing is done here, only said
    <span
      className="labelled"
      onPointerEnter={() => explain(hint)}
      onPointerLeave={() => explain(undefined)}
      onFocus={() => explain(hint)}
      onBlur={() => explain(undefined)}
    >
      <span aria-hidden="true">{name}</span>
      {children(id)}
      <span id={id} hidden>
        {hint}
      </span>
    </span>
  );
}

type LabelledChoiceProps<Value extends string> = Omit<ComponentProps<typeof Choice<Value>>, "label"> & {
  readonly name: string;
  readonly hint: string;
};

function LabelledChoice<Value extends string>({ name, hint, ...choice }: LabelledChoiceProps<Value>) {
  return (
    <Labelled name={name} hint={hint}>
      {(hintId) => <Choice label={name} describedBy={hintId} {...choice} />}
    </Labelled>
  );
}

interface WholeProps {
  readonly name: string;
  readonly hint: string;
  /** Undefined: as Precis chooses. */
  readonly value: number | undefined;
  readonly least?: number;
  readonly most: number;
  readonly disabled?: boolean;
  readonly onChange: (value: number | undefined) => void;
}

/** A whole number, or nothing; taken once it is typed, and put back when it is none or out of bounds. */
function Whole({ name, hint, value, least = 1, most, disabled, onChange }: WholeProps) {
  return (
    <Labelled name={name} hint={hint}>
      {(hintId) => (
        <input
          key={value}
          type="number"
          aria-label={name}
          aria-describedby={hintId}
          placeholder={t("advanced.auto")}
          min={least}
          max={most}
          step={1}
          disabled={disabled}
          defaultValue={value}
          onKeyDown={({ key, currentTarget }) => key === "Enter" && currentTarget.blur()}
          onBlur={({ currentTarget }) => {
            const number = currentTarget.value === "" ? undefined : currentTarget.valueAsNumber;
            if (!currentTarget.validity.valid) currentTarget.value = `${value ?? ""}`;
            else if (number !== value) onChange(number);
          }}
        />
      )}
    </Labelled>
  );
}
