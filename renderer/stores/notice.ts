/** What copying or saving came to: one line beside the buttons, for a few seconds. */
import { create } from "zustand";
import { copySelected, saveSelected } from "../actions.js";

interface NoticeStore {
  readonly notice: { readonly ok: boolean; readonly sentence: string } | undefined;
  perform(what: "copy" | "save"): Promise<void>;
}

/** How long a good notice stays; a bad one stays until the next. */
const shownMs = 6_000;

export const useNotice = create<NoticeStore>((set, get) => ({
  notice: undefined,
  async perform(what) {
    const notice =
      what === "save" ? await saveSelected() : (await copySelected()) ? { ok: true, sentence: "Copied" } : undefined;
    set({ notice });
    if (notice?.ok) setTimeout(() => get().notice === notice && set({ notice: undefined }), shownMs);
  },
}));
