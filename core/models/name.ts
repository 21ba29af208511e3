/** Apart from catalogue.ts, for the window: it need not load what validates the file. */
import catalogue from "../../assets/models.json" with { type: "json" };

/** What a model is called, from its id: as the catalogue names it, or as the user's own file is called. */
export const modelName = (id: string): string =>
  catalogue.models.find((model) => model.id === id)?.name ?? (id.split(/[\\/]/).pop() || id);
