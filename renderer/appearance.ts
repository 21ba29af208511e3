/**
 * Language, contrast and motion as attributes of the page's root, from the settings and from the system alike, so that the
 * style sheets ask one question. Light and dark are Chromium's own: main tells it which.
 */
import { direction, language, languageOf, speak } from "../electron/language.js";
import { useSettings } from "./stores/settings.js";

export function followAppearance(): void {
  const systemContrast = matchMedia("(prefers-contrast: more)");
  const systemMotion = matchMedia("(prefers-reduced-motion: reduce)");
  const apply = () => {
    const { contrast, motion, interfaceLanguage } = useSettings.getState();
    const { documentElement } = document;
    const { dataset } = documentElement;
    speak(languageOf(interfaceLanguage, navigator.language));
    documentElement.lang = language();
    documentElement.dir = direction();
    dataset.contrast = contrast === "more" || systemContrast.matches ? "more" : "usual";
    dataset.motion = motion === "less" || systemMotion.matches ? "less" : "usual";
  };
  apply();
  useSettings.subscribe(apply);
  systemContrast.addEventListener("change", apply);
  systemMotion.addEventListener("change", apply);
}
