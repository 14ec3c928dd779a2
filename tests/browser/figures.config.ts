import { defineConfig } from "@playwright/test";
import tests from "./playwright.config.ts";

/** `npm run figures`: measurements, which are no tests because they want a quiet machine. */
export default defineConfig({
  ...tests,
  testMatch: "*-figures.spec.ts",
  testIgnore: [],
  reporter: [["list"]],
});
