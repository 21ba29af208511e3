/**
 * Writes a model with random weights and a real model's attention into the user's cache folder, and prints its path:
 * `npx tsx scripts/models.ts SHAPE [--layers N] [--full-feed-forward] [--seed N]`. Same arguments, same bytes.
 */
import { statSync } from "node:fs";
import { parseArgs } from "node:util";
import { formatBytes } from "../core/format.js";
import { cachedModel, type ShapeName, shapeNames } from "../test/support/shapes.js";

function fail(reason: string): never {
  console.error(reason);
  console.error(
    `usage: npx tsx scripts/models.ts ${shapeNames.join("|")} [--layers N] [--full-feed-forward] [--seed N]`,
  );
  process.exit(2);
}

function options() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        layers: { type: "string" },
        "full-feed-forward": { type: "boolean", default: false },
        seed: { type: "string", default: "1" },
      },
    });
  } catch (error) {
    return fail((error as Error).message);
  }
}

const { positionals, values } = options();
const [name, ...rest] = positionals;
if (!shapeNames.includes(name as ShapeName) || rest.length > 0) fail("Name one shape.");
const whole = (option: "layers" | "seed") => {
  const text = values[option];
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) fail(`--${option} takes a whole number above 0.`);
  return Number(text);
};
const path = cachedModel(name as ShapeName, {
  layers: whole("layers"),
  fullFeedForward: values["full-feed-forward"],
  seed: whole("seed"),
});
console.error(formatBytes(statSync(path).size));
console.log(path);
