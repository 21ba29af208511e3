import type { ReactNode } from "react";
import { loadAgain } from "../stores/connect.js";
import { useModel } from "../stores/model.js";
import { useSettings } from "../stores/settings.js";
import { Choice, policies } from "./RunOptions.js";

const kvTypes = [
  ["f16", "f16, exact"],
  ["q8_0", "q8_0, half the bytes"],
  ["q4_0", "q4_0, a quarter of the bytes"],
] as const;

/** What only those look for who know the method. */
export function AdvancedOptions() {
  const { policy, kvType, groupLayers, gpuLayers, threads, seed, choose } = useSettings();
  const gpu = useModel((store) => store.model?.gpu);
  return (
    <div className="advanced-options">
      <Labelled name="Policy" hint="What the KV cache keeps within the memory for reading">
        <Choice label="Policy" value={policy} options={policies} onChange={(policy) => choose({ policy })} />
      </Labelled>
      <Labelled name="KV type" hint="How kept entries are stored: smaller ones keep more of them in the same memory">
        <Choice label="KV type" value={kvType} options={kvTypes} onChange={(kvType) => choose({ kvType })} />
      </Labelled>
      <Whole
        name="Layers at a time"
        hint="Fewer hold less memory while reading"
        value={groupLayers}
        most={1_000}
        onChange={(groupLayers) => choose({ groupLayers })}
      />
      <Whole
        name="Layers on the GPU"
        hint={gpu ? "The others are computed by the processor" : "There is no GPU that Precis can use"}
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
        name="Threads"
        hint="To compute with"
        value={threads}
        most={512}
        onChange={(threads) => choose({ threads })}
      />
      <Whole
        name="Seed"
        hint="Of the sampling; the same one gives the same summary"
        value={seed}
        least={0}
        most={0xffff_ffff}
        onChange={(seed = 1) => choose({ seed })}
      />
    </div>
  );
}

function Labelled({ name, hint, children }: { name: string; hint: string; children: ReactNode }) {
  return (
    <span className="labelled" title={hint}>
      <span aria-hidden="true">{name}</span>
      {children}
    </span>
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
      <input
        key={value}
        type="number"
        aria-label={name}
        placeholder="auto"
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
    </Labelled>
  );
}
