/** The app in a profile whose library is as large as one becomes in years. */
import { existsSync } from "node:fs";
import { cp, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Library } from "../../../core/library/library.js";
import { type Launched, launch, projectDir } from "../../e2e/support.js";
import { fillLibrary } from "../../library/large.js";
import { workFolder } from "../run.js";

export const documents = 2_000;

/** A folder with it, made once, in a minute or two; whoever uses it takes a copy. */
async function largeLibrary(): Promise<string> {
  const folder = join(workFolder, `library-${documents}`);
  if (existsSync(folder)) return folder;
  const half = `${folder}.new`;
  await rm(half, { recursive: true, force: true });
  console.error(`filling a library with ${documents} documents …`);
  const library = Library.open(join(half, "library.sqlite"));
  fillLibrary(library, documents);
  library.close();
  await rename(half, folder);
  return folder;
}

/** @param work is given the app, with its model loaded, and a folder that is deleted afterwards */
export async function withLargeLibrary<Value>(
  work: (launched: Launched, folder: string) => Promise<Value>,
): Promise<Value> {
  const folder = await mkdtemp(join(tmpdir(), "precis-bench-"));
  try {
    const profile = join(folder, "profile");
    // What SQLite has not moved from its log yet lies in a file beside the library.
    await cp(await largeLibrary(), profile, { recursive: true });
    const launched = await launch(projectDir, [], { profile });
    try {
      // tsx names the functions inside of what the page is given, by a helper that the page does not have.
      await launched.page.evaluate("globalThis.__name = (named) => named");
      await launched.page.getByText(/Reads about [\d,]+ pages in one go/).waitFor({ timeout: 60_000 });
      return await work(launched, folder);
    } finally {
      // Nothing is wanted of it any more, and while it reads it would ask before it closes.
      await launched.kill();
    }
  } finally {
    // Chromium's other processes may write a moment longer than the one that was killed.
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}
