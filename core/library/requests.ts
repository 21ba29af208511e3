/** What is asked of a library that lives in another thread: requests, their answers, and the one side over the other. */
import { z } from "zod";
import {
  hitSchema,
  type LibraryHit,
  type LibraryList,
  listSchema,
  type StoredRun,
  storedRunSchema,
} from "./entries.js";
import type { Library } from "./library.js";

const limit = z.number().int().min(1).max(1_000);
const path = z.string().min(1).max(4_096);

export const libraryRequestSchema = z.discriminatedUnion("what", [
  z.object({ what: z.literal("list"), limit }),
  z.object({ what: z.literal("search"), query: z.string().max(1_000), limit }),
  z.object({ what: z.literal("last-run"), path }),
  z.object({ what: z.literal("remove"), path }),
]);
export type LibraryRequest = z.infer<typeof libraryRequestSchema>;

export function answerRequest(library: Library, request: LibraryRequest): unknown {
  switch (request.what) {
    case "list":
      return library.list(request.limit);
    case "search":
      return library.search(request.query, request.limit);
    case "last-run":
      return library.lastRun(request.path);
    case "remove":
      return library.remove(request.path);
  }
}

/** The library as those see it who only look things up; each promise rejects with a PrecisError. */
export interface LibraryApi {
  list(limit: number): Promise<LibraryList>;
  search(query: string, limit: number): Promise<LibraryHit[]>;
  lastRun(path: string): Promise<StoredRun | undefined>;
  remove(path: string): Promise<boolean>;
}

/** @param ask carries a request to where `answerRequest` is called, and its answer back */
export function libraryOver(ask: (request: LibraryRequest) => Promise<unknown>): LibraryApi {
  return {
    list: async (limit) => listSchema.parse(await ask({ what: "list", limit })),
    search: async (query, limit) => z.array(hitSchema).parse(await ask({ what: "search", query, limit })),
    lastRun: async (path) => storedRunSchema.optional().parse(await ask({ what: "last-run", path })),
    remove: async (path) => z.boolean().parse(await ask({ what: "remove", path })),
  };
}
