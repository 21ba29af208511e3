/** Which of the views that lie over the documents is shown: one at a time. */
import { create } from "zustand";

export const views = ["models", "settings", "palette", "storage", "export-several"] as const;
export type View = (typeof views)[number];

export const isView = (name: string): name is View => (views as readonly string[]).includes(name);

interface ViewsStore {
  readonly shown: View | undefined;
  show(view: View): void;
  /** Closes a view, unless another has taken its place already. */
  close(view: View): void;
}

export const useViews = create<ViewsStore>((set, get) => ({
  shown: undefined,
  show: (shown) => set({ shown }),
  close: (view) => get().shown === view && set({ shown: undefined }),
}));
