/** What is asked of a library that lives in another thread: requests, their answers, and the one side over the other. */
import * as z from "zod";
import {
  hitSchema,
  type LibraryHit,
  type LibraryList,
  type ListedRun,
  listedRunSchema,
  listSchema,
  type QueueItem,
  queueItemSchema,
  type StoredRun,
  storedRunSchema,
} from "./entries.js";
import type { Library, TagChange } from "./library.js";

const limit = z.number().int().min(1).max(1_000);
const path = z.string().min(1).max(4_096);
/** A word or a few, without the spaces around them. */
export const tagSchema = z.string().trim().min(1).max(60);

export const libraryRequestSchema = z.discriminatedUnion("what", [
  z.object({ what: z.literal("list"), limit, tag: tagSchema.optional() }),
  z.object({ what: z.literal("search"), query: z.string().max(1_000), limit, tag: tagSchema.optional() }),
  z.object({ what: z.literal("tag"), path, add: tagSchema.optional(), remove: tagSchema.optional() }),
  z.object({ what: z.literal("last-run"), path }),
  z.object({ what: z.literal("runs"), path }),
  z.object({ what: z.literal("run"), id: z.number().int() }),
  z.object({ what: z.literal("remove-answer"), id: z.string() }),
  z.object({ what: z.literal("remove"), path }),
  z.object({ what: z.literal("sizes") }),
  z.object({ what: z.literal("queue") }),
  z.object({ what: z.literal("save-queue"), items: z.array(queueItemSchema) }),
]);
export type LibraryRequest = z.infer<typeof libraryRequestSchema>;

export function answerRequest(library: Library, request: LibraryRequest): unknown {
  switch (request.what) {
    case "list":
      return library.list(request.limit, request.tag);
    case "search":
      return library.search(request.query, request.limit, request.tag);
    case "tag":
      return library.tag(request.path, request);
    case "last-run":
      return library.lastRun(request.path);
    case "runs":
      return library.runs(request.path);
    case "run":
      return library.storedRun(request.id);
    case "remove-answer":
      return library.removeAnswer(request.id);
    case "remove":
      return library.remove(request.path);
    case "sizes":
      return library.sizes();
    case "queue":
      return library.queue();
    case "save-queue":
      return library.saveQueue(request.items);
  }
}

/** The library as those see it who are in another thread; each promise rejects with a PrecisError. */
export interface LibraryApi {
  list(limit: number, tag?: string): Promise<LibraryList>;
  search(query: string, limit: number, tag?: string): Promise<LibraryHit[]>;
  tag(path: string, change: TagChange): Promise<string[]>;
  lastRun(path: string): Promise<StoredRun | undefined>;
  runs(path: string): Promise<ListedRun[]>;
  storedRun(id: number): Promise<StoredRun | undefined>;
  removeAnswer(id: string): Promise<boolean>;
  remove(path: string): Promise<boolean>;
  queue(): Promise<QueueItem[]>;
  saveQueue(items: readonly QueueItem[]): Promise<void>;
}

/** @param ask carries a request to where `answerRequest` is called, and its answer back */
export function libraryOver(ask: (request: LibraryRequest) => Promise<unknown>): LibraryApi {
  return {
    list: async (limit, tag) => listSchema.parse(await ask({ what: "list", limit, tag })),
    search: async (query, limit, tag) => z.array(hitSchema).parse(await ask({ what: "search", query, limit, tag })),
    tag: async (path, change) => z.array(z.string()).parse(await ask({ what: "tag", path, ...change })),
    lastRun: async (path) => storedRunSchema.optional().parse(await ask({ what: "last-run", path })),
    runs: async (path) => z.array(listedRunSchema).parse(await ask({ what: "runs", path })),
    storedRun: async (id) => storedRunSchema.optional().parse(await ask({ what: "run", id })),
    removeAnswer: async (id) => z.boolean().parse(await ask({ what: "remove-answer", id })),
    remove: async (path) => z.boolean().parse(await ask({ what: "remove", path })),
    queue: async () => z.array(queueItemSchema).parse(await ask({ what: "queue" })),
    saveQueue: async (items) => void (await ask({ what: "save-queue", items: [...items] })),
  };
}
