import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Native code and Electron run one file at a time: they share two cores, and the native parts a process-wide state. */
const alone = { pool: "forks", fileParallelism: false, testTimeout: 180_000, hookTimeout: 180_000 } as const;

export default defineConfig({
  plugins: [react()],
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.{ts,tsx}"],
          exclude: ["test/native/**", "test/e2e/**", "test/eval/**", "test/bench/**"],
        },
      },
      { extends: true, test: { name: "native", include: ["test/native/**/*.test.ts"], ...alone } },
      { extends: true, test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], ...alone } },
    ],
  },
});
