import type { CSSProperties, KeyboardEvent } from "react";
import { nextStop, positionOf, shareAt, sliderSteps, snappedShare, steppedShare, stops } from "../view/budget.js";
import { formatPercent } from "../view/format.js";

interface Props {
  /** Percent of the full cache. */
  readonly share: number;
  readonly disabled: boolean;
  /** Below this share the instruction alone would fill the budget: hatched. */
  readonly smallest: number | undefined;
  readonly valueText: string;
  readonly onChange: (share: number) => void;
}

/** The handle snaps lightly to the stops when it is dragged; keys go in fine steps, Page Up and Down from stop to stop. */
export function BudgetSlider({ share, disabled, smallest, valueText, onChange }: Props) {
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    const moved = moveOf(event.key, share);
    if (moved === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    onChange(moved);
  };
  const part = (value: number) => `${Math.max(0, Math.min(100, (100 * positionOf(value)) / sliderSteps))}%`;
  const style = { "--at": part(share), "--useless": part(smallest ?? 1) } as CSSProperties;
  return (
    <div className="slider" style={style} data-disabled={disabled}>
      <div className="slider-track" aria-hidden="true">
        <span className="slider-fill" />
        {smallest !== undefined && smallest > 1 && <span className="slider-useless" title={uselessWords(smallest)} />}
        {stops.map((stop) => (
          <span key={stop.share} className="slider-mark" style={{ insetInlineStart: part(stop.share) }} />
        ))}
      </div>
      <input
        type="range"
        min={0}
        max={sliderSteps}
        step={1}
        value={positionOf(share)}
        disabled={disabled}
        aria-label="Memory for reading"
        aria-valuetext={
          smallest !== undefined && share < smallest ? `${valueText}. ${uselessWords(smallest)}` : valueText
        }
        onKeyDown={onKeyDown}
        onChange={(event) => onChange(snappedShare(Number(event.target.value)))}
      />
      <div className="slider-stops">
        {stops.map((stop) => (
          <button
            key={stop.share}
            type="button"
            tabIndex={-1}
            disabled={disabled}
            aria-pressed={stop.share === share}
            style={{ insetInlineStart: part(stop.share) }}
            onClick={() => onChange(stop.share)}
          >
            {formatPercent(stop.share)}
          </button>
        ))}
      </div>
    </div>
  );
}

const uselessWords = (smallest: number) =>
  `Below ${formatPercent(Math.ceil(smallest * 10) / 10)} the instruction alone fills the memory.`;

function moveOf(key: string, share: number): number | undefined {
  switch (key) {
    case "ArrowRight":
    case "ArrowUp":
      return steppedShare(share, 1);
    case "ArrowLeft":
    case "ArrowDown":
      return steppedShare(share, -1);
    case "PageUp":
      return nextStop(share, 1);
    case "PageDown":
      return nextStop(share, -1);
    case "Home":
      return shareAt(0);
    case "End":
      return shareAt(sliderSteps);
    default:
      return undefined;
  }
}
