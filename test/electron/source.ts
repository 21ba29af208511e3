/** The code as a tree, for tests that look for words in it. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "vite";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The files of TypeScript in a folder of the project, by their paths in it. */
export const sourcesIn = (folder: string): string[] =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => path.join(folder, name));

/** @param source what stands in the file; undefined: as it lies in the project */
export const parsed = (file: string, source = readFileSync(path.join(root, file), "utf8")): Node =>
  parseSync(file, source).program as unknown as Node;

export interface Node {
  readonly type: string;
  readonly [part: string]: unknown;
}

export const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";

const childrenOf = (node: Node): Node[] => Object.values(node).flat().filter(isNode);

export function* nodesIn(node: Node): Generator<Node> {
  yield node;
  for (const child of childrenOf(node)) yield* nodesIn(child);
}

/** The texts that an expression can come to as they stand in the code. */
export function textsOf(node: unknown): string[] {
  if (!isNode(node)) return [];
  switch (node.type) {
    case "Literal":
      return typeof node.value === "string" ? [node.value] : [];
    case "TemplateLiteral":
      return (node.quasis as Node[]).map(({ value }) => (value as { cooked: string }).cooked);
    case "ConditionalExpression":
      return [node.consequent, node.alternate].flatMap(textsOf);
    case "LogicalExpression":
    case "BinaryExpression":
      return node.operator === "&&" || node.type === "LogicalExpression" || node.operator === "+"
        ? [node.left, node.right].flatMap(textsOf)
        : [];
    case "ArrayExpression":
      return (node.elements as unknown[]).flatMap(textsOf);
    case "JSXExpressionContainer":
    case "TSAsExpression":
    case "ParenthesizedExpression":
      return textsOf(node.expression);
    default:
      return [];
  }
}
