import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    globalSetup: "tests/support/setup.ts",
    // Named, because vitest otherwise chooses by what it believes it runs in.
    reporters: ["default"],
    // Each file has a database of its own; two at a time keep two cores busy without starving PostgreSQL.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
