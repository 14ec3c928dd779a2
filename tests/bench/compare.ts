import type { Report } from "./figure.ts";
import { Figures } from "./figures.ts";
import { aligned, rounded } from "./report-table.ts";
import { median } from "./statistics.ts";

/**
 * Two reports, figure by figure. Rounds that overlap say nothing: the change is named only where the worst round of one
 * report is better than the best of the other. Shares of a limit are compared as well, because only they hold on
 * another machine, or on a busy one.
 */
export function compareReports(before: Report, after: Report): string {
  const [was, is] = [new Figures(before), new Figures(after)];
  const rows = after.figures.flatMap((figure) => {
    const earlier = was.find(figure.scenario, figure.name);
    if (earlier === undefined) return [];
    const change = median(figure.rounds) / median(earlier.rounds);
    const shares = [was.shareOfLimit(earlier), is.shareOfLimit(figure)];
    return [[
      `${figure.scenario}: ${figure.name}`,
      `${rounded(median(earlier.rounds))} → ${rounded(median(figure.rounds))} ${figure.unit}`,
      `${change.toFixed(2)} ×`,
      shares.some((share) => share === undefined) ? "" : shares.map((share) => share?.toFixed(2)).join(" → "),
      verdict(earlier.rounds, figure.rounds, figure.better),
    ]];
  });
  const missing = [
    ...onlyIn(before, is).map((name) => `only in the first: ${name}`),
    ...onlyIn(after, was).map((name) => `only in the second: ${name}`),
  ];
  const heading = `${before.date} ${before.commit} → ${after.date} ${after.commit}`;
  const table = aligned(["figure", "median", "change", "of its limit", ""], rows);
  return [heading, table, missing.join("\n")].filter((part) => part !== "").join("\n\n");
}

/** Fewer rounds than these are apart by chance too often. */
const FEWEST_ROUNDS = 3;

function verdict(before: readonly number[], after: readonly number[], better: "higher" | "lower"): string {
  if (Math.min(before.length, after.length) < FEWEST_ROUNDS) return "";
  const rose = Math.min(...after) > Math.max(...before);
  const fell = Math.max(...after) < Math.min(...before);
  if (!rose && !fell) return "";
  return rose === (better === "higher") ? "better" : "WORSE";
}

function onlyIn(report: Report, other: Figures): string[] {
  return report.figures.flatMap(({ scenario, name }) =>
    other.find(scenario, name) === undefined ? [`${scenario}: ${name}`] : [],
  );
}
