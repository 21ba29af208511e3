import path from "node:path";
import { describe, expect, it } from "vitest";
import { contentSecurityPolicy, fileOfUrl, origin } from "../../electron/origin.js";

const root = path.resolve("/app/dist/renderer");

describe("the window's own scheme", () => {
  it("serves the built files", () => {
    expect(fileOfUrl(`${origin}/index.html`, root)).toBe(path.join(root, "index.html"));
    expect(fileOfUrl(`${origin}/assets/a%20b.js`, root)).toBe(path.join(root, "assets", "a b.js"));
  });

  it.each([
    ["a place above the folder", `${origin}/..%2f..%2fsecret.html`],
    ["the folder itself", `${origin}/`],
    ["a type that the window has no use for", `${origin}/main.mjs`],
    ["another host", "precis://elsewhere/index.html"],
    ["another scheme", "file:///app/dist/renderer/index.html"],
  ])("refuses %s", (_what, url) => expect(fileOfUrl(url, root)).toBeUndefined());
});

it("allows no script, connection or frame but the window's own scripts", () => {
  const directives = new Map(
    contentSecurityPolicy.split("; ").map((directive) => {
      const [name = "", ...values] = directive.split(" ");
      return [name, values.join(" ")];
    }),
  );
  expect(directives.get("default-src")).toBe("'none'");
  expect(directives.get("script-src")).toBe("'self'");
  expect(directives.get("connect-src")).toBe("'none'");
  expect(contentSecurityPolicy).not.toMatch(/unsafe|\*|https?:/);
});
