import { useState } from "react";
import { createRoot } from "react-dom/client";

function Empty() {
  const [pressed, setPressed] = useState(0);
  return (
    <button type="button" onClick={() => setPressed(pressed + 1)}>
      Pressed {pressed} times
    </button>
  );
}

createRoot(document.getElementById("root") as HTMLElement).render(<Empty />);
