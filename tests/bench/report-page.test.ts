import { expect, test } from "vitest";
import { reportPage } from "./report-page.ts";

const usual = { date: "today", commit: "c0ffee", machine: "two cores", skipped: [], failed: [] };

test("each figure is a bar with a dot for each round, and a mark at its limit", () => {
  const speed = { scenario: "produce", unit: "MiB/s", better: "higher" } as const;
  const figures = [
    { ...speed, name: "raw", rounds: [10, 20, 30] },
    { ...speed, name: "RF 3", rounds: [5, 10, 15], limit: "raw" },
  ];
  const page = reportPage({ ...usual, figures });
  expect(page.match(/class="round"/g)).toHaveLength(6);
  expect(page.match(/class="limit" style="left:66\.67%"/g)).toHaveLength(1);
  expect(page).toContain("0.50 × raw");
});

test("goals are judged, and what was left out is said", () => {
  const figure = { scenario: "bundle", name: "SDK, gzipped", unit: "KB", better: "lower", rounds: [99] } as const;
  const page = reportPage({ ...usual, figures: [figure], skipped: ["peers: no <server>"] });
  expect(page).toContain("not reached");
  expect(page).toContain("Skipped: peers: no &#60;server&#62;");
});
