import { useLayoutEffect, useState } from "react";
import { t } from "../../electron/language.js";
import { takeDropped } from "../actions.js";
import { precis } from "../precis.js";

const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;

/** The whole window takes files; a frame shows it while they hover. */
export function DropTarget() {
  const [hovering, setHovering] = useState(false);
  // Before the first frame is seen: what is dropped on that must not be lost.
  useLayoutEffect(() => {
    const over = (event: DragEvent) => {
      // Without this, the page would be replaced by a dropped file (main forbids that too).
      event.preventDefault();
      if (hasFiles(event)) setHovering(true);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setHovering(false);
    };
    const drop = (event: DragEvent) => {
      event.preventDefault();
      setHovering(false);
      // What had the focus has nothing to do with the new documents; Enter then starts the first of them.
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
      const paths = [...(event.dataTransfer?.files ?? [])].map((file) => precis().pathForFile(file));
      takeDropped(paths.filter((path) => path !== ""));
    };
    window.addEventListener("dragover", over);
    window.addEventListener("dragleave", leave);
    window.addEventListener("drop", drop);
    return () => {
      window.removeEventListener("dragover", over);
      window.removeEventListener("dragleave", leave);
      window.removeEventListener("drop", drop);
    };
  }, []);
  return hovering ? (
    <div className="drop-frame" aria-hidden="true">
      <p>{t("empty.drop")}</p>
    </div>
  ) : null;
}
