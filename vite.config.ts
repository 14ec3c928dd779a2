import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: at("src/demo"),
  base: "./",
  build: {
    outDir: at("dist/demo"),
    emptyOutDir: true,
    target: "es2022",
    rolldownOptions: { input: ["index", "group", "simulation"].map((page) => at(`src/demo/${page}.html`)) },
  },
  worker: { format: "es" },
  test: {
    root: at("."),
    projects: [
      {
        test: {
          name: "node",
          root: at("."),
          include: ["tests/**/*.test.ts"],
          exclude: ["tests/**/*.browser.test.ts", "node_modules/**"],
        },
      },
      at("tests/platform/vitest.config.ts"),
    ],
  },
});
