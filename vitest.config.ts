import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Native code and Electron run one file at a time, after all else: their threads spin, and two at once starve. */
const alone = (groupOrder: number) =>
  ({
    pool: "forks",
    fileParallelism: false,
    sequence: { groupOrder },
    testTimeout: 180_000,
    hookTimeout: 180_000,
  }) as const;

export default defineConfig({
  plugins: [react()],
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.{ts,tsx}"],
          exclude: ["test/native/**", "test/e2e/**"],
        },
      },
      { extends: true, test: { name: "native", include: ["test/native/**/*.test.ts"], ...alone(1) } },
      { extends: true, test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], ...alone(2) } },
    ],
  },
});
