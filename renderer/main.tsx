import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { interfaceLanguages } from "../electron/core.js";
import { App } from "./App.js";
import { connect } from "./stores/connect.js";
import { useSettings } from "./stores/settings.js";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
// The address names a language that was chosen, so that the first frame has it; the settings come a moment later.
const named = new URLSearchParams(location.search).get("language");
const chosen = interfaceLanguages.find((language) => language === named);
if (chosen) useSettings.setState({ interfaceLanguage: chosen });
connect();
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
