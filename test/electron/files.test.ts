import path from "node:path";
import { expect, it } from "vitest";
import { documentsIn } from "../../electron/files.js";

it("takes documents from a command line, and neither options nor the app's folder", () => {
  const args = ["--no-sandbox", ".", "report.pdf", "/abs/Notes.MD", "--x=y.pdf", "script.js"];
  expect(documentsIn(args, "/home/anna")).toEqual([
    path.resolve("/home/anna/report.pdf"),
    path.resolve("/abs/Notes.MD"),
  ]);
});
