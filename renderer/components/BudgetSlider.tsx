import { type CSSProperties, type KeyboardEvent, type PointerEvent, useState } from "react";
import { direction, t } from "../../electron/language.js";
import {
  nearestWithin,
  nextStop,
  positionOf,
  type Quality,
  type Reach,
  shareAt,
  sliderSteps,
  snappedShare,
  steppedShare,
  stops,
} from "../view/budget.js";
import { formatPercent } from "../view/format.js";

interface Props {
  /** Percent of the full cache. */
  readonly share: number;
  readonly disabled: boolean;
  /** What lies outside is hatched; undefined while nothing is known of the document. */
  readonly reach: Reach | undefined;
  /** Why a share outside of the reach cannot be read with in one go; undefined for one inside. */
  readonly refusal: (share: number) => string | undefined;
  /** False where all budgets are alike, because the whole cache checks the answer. */
  readonly recommends: boolean;
  readonly valueText: string;
  /** What to expect of a summary that keeps a share. */
  readonly quality: (share: number) => Quality;
  readonly onChange: (share: number) => void;
}

/** Half of the handle's width in pixels: the track ends where its middle can be. */
const edge = 9;

/** The handle snaps lightly to the stops when it is dragged; keys go in fine steps, Page Up and Down from stop to stop. */
export function BudgetSlider(props: Props) {
  const { share, disabled, reach, refusal, recommends, valueText, quality, onChange } = props;
  const [hovered, setHovered] = useState<number>();
  const [focused, setFocused] = useState(false);
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    const moved = moveOf(event.key, share);
    if (moved === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    onChange(moved);
  };
  const onPointerMove = ({ currentTarget, clientX }: PointerEvent<HTMLInputElement>) => {
    const { left, right, width } = currentTarget.getBoundingClientRect();
    const along = direction() === "rtl" ? right - clientX : clientX - left;
    setHovered(shareAt(Math.min(1, Math.max(0, (along - edge) / (width - 2 * edge))) * sliderSteps));
  };
  const part = (value: number) => `${Math.max(0, Math.min(100, (100 * positionOf(value)) / sliderSteps))}%`;
  const style = { "--at": part(share) } as CSSProperties;
  const reason = refusal(share);
  const wordsOf = (place: number) => t("memory.at", { share: formatPercent(place), words: quality(place).words });
  // the place under the pointer with its words, or else why the handle's own does not fit
  const shown = hovered ?? (focused ? share : undefined);
  const explained = shown === undefined ? undefined : (refusal(shown) ?? (hovered && wordsOf(hovered)));
  const nearest = reach && nearestWithin(share, reach);
  return (
    <div className="slider" style={style} data-disabled={disabled}>
      <div className="slider-track" aria-hidden="true">
        <span className="slider-fill" />
        {reach && reach.least > 1 && <span className="slider-unfit" style={{ inlineSize: part(reach.least) }} />}
        {reach && reach.most !== 100 && (
          <span className="slider-unfit" style={{ insetInlineStart: part(reach.most ?? 1), insetInlineEnd: 0 }} />
        )}
        {stops.map((stop) => (
          <span
            key={stop.share}
            className="slider-mark"
            data-recommended={stop.recommended && recommends}
            style={{ insetInlineStart: part(stop.share) }}
          />
        ))}
      </div>
      <input
        type="range"
        min={0}
        max={sliderSteps}
        step={1}
        value={positionOf(share)}
        disabled={disabled}
        aria-label={t("memory.title")}
        aria-valuetext={reason === undefined ? valueText : t("memory.valueUnfit", { value: valueText, reason })}
        onKeyDown={onKeyDown}
        onChange={(event) => onChange(snappedShare(Number(event.target.value)))}
        onFocus={() => setFocused(true)}
        onBlur={() => setFocused(false)}
        onPointerMove={onPointerMove}
        onPointerLeave={() => setHovered(undefined)}
      />
      {shown !== undefined && explained !== undefined && (
        <p className="slider-reason" data-end={positionOf(shown) > sliderSteps / 2}>
          {explained}
        </p>
      )}
      <div className="slider-stops">
        {stops.map((stop) => {
          const { words, figures } = quality(stop.share);
          return (
            <button
              key={stop.share}
              type="button"
              tabIndex={-1}
              disabled={disabled}
              aria-pressed={stop.share === share}
              data-unfit={refusal(stop.share) !== undefined}
              style={{ insetInlineStart: part(stop.share) }}
              title={figures === undefined ? words : t("memory.qualityMeasured", { words, figures })}
              onClick={() => onChange(stop.share)}
            >
              {stop.recommended && recommends && <small>{t("memory.recommended")}</small>} {formatPercent(stop.share)}
            </button>
          );
        })}
      </div>
      {reason !== undefined && nearest !== undefined && !disabled && (
        <p className="slider-nearest">
          {t(nearest > share ? "memory.unfitLittle" : "memory.unfitMuch")}{" "}
          <button type="button" className="quiet" onClick={() => onChange(nearest)}>
            {t("memory.useNearest", { share: formatPercent(nearest) })}
          </button>
        </p>
      )}
    </div>
  );
}

function moveOf(key: string, share: number): number | undefined {
  const forwards = direction() === "rtl" ? "ArrowLeft" : "ArrowRight";
  switch (key) {
    case forwards:
    case "ArrowUp":
      return steppedShare(share, 1);
    case "ArrowRight":
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
