import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { t } from "../../electron/language.js";
import { commandsNow, findCommands, type WindowCommand } from "../commands.js";
import { useViews } from "../stores/views.js";
import { Sheet } from "./Sheet.js";

/** All commands by name: a few letters and Enter. */
export function Palette() {
  const shown = useViews((store) => store.shown === "palette");
  const close = useViews((store) => store.close);
  return (
    <Sheet title={t("commands.title")} shown={shown} close={() => close("palette")}>
      {shown && <Commands />}
    </Sheet>
  );
}

function Commands() {
  const close = useViews((store) => store.close);
  const [commands] = useState(commandsNow);
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const found = findCommands(query, commands);
  const current = Math.min(at, found.length - 1);
  const optionId = (index: number) => `command-${index}`;

  useEffect(() => {
    list.current?.children[current]?.scrollIntoView({ block: "nearest" });
  }, [current]);

  const perform = (command: WindowCommand | undefined) => {
    if (!command) return;
    close("palette");
    // Once the dialog has given the focus back: the command may put it elsewhere.
    requestAnimationFrame(() => void command.run());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (event.key === "Enter") perform(found[current]);
    // Chromium would only empty the field first.
    else if (event.key === "Escape") close("palette");
    else if (step !== 0 && found.length > 0) setAt((current + step + found.length) % found.length);
    else return;
    event.preventDefault();
  };

  return (
    <>
      <input
        type="search"
        className="view-search"
        role="combobox"
        aria-label={t("commands.command")}
        aria-expanded="true"
        aria-controls="commands"
        aria-activedescendant={current >= 0 ? optionId(current) : undefined}
        placeholder={t("commands.ask")}
        value={query}
        onChange={(event) => {
          setQuery(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div ref={list} id="commands" className="commands" role="listbox" aria-label={t("commands.title")}>
        {found.map((command, index) => (
          // The keyboard stays in the field above, which says by aria-activedescendant what is chosen.
          // biome-ignore lint/a11y/useKeyWithClickEvents: see above
          // biome-ignore lint/a11y/useFocusableInteractive: see above
          <div
            key={command.name}
            id={optionId(index)}
            role="option"
            aria-selected={index === current}
            onClick={() => perform(command)}
          >
            {command.name} {command.keys && <kbd>{command.keys}</kbd>}
          </div>
        ))}
      </div>
      {found.length === 0 && <p className="small">{t("commands.none")}</p>}
    </>
  );
}
