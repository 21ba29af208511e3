/** What copying, printing or exporting came to: one line beside the buttons, for a few seconds. */
import { create } from "zustand";
import { type Output, output } from "../actions.js";

interface NoticeStore {
  readonly notice: { readonly ok: boolean; readonly sentence: string } | undefined;
  perform(what: Output): Promise<void>;
}

/** How long a good notice stays; a bad one stays until the next. */
const shownMs = 6_000;

export const useNotice = create<NoticeStore>((set, get) => ({
  notice: undefined,
  async perform(what) {
    const notice = await output(what);
    set({ notice });
    if (notice?.ok) setTimeout(() => get().notice === notice && set({ notice: undefined }), shownMs);
  },
}));
