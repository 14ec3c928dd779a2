import type { Figure, Report } from "./figure.ts";
import { Figures } from "./figures.ts";
import { goals } from "./goals.ts";
import { median } from "./statistics.ts";

/** The report as text: every figure, then the goals, then what was left out. */
export function reportTable(report: Report): string {
  const figures = new Figures(report);
  const rows = report.figures.map((figure) => [
    `${figure.scenario}: ${figure.name}`,
    withUnit(median(figure.rounds), figure.unit),
    figure.rounds.length > ROUNDS_SHOWN ? `${figure.rounds.length} rounds` : figure.rounds.map(rounded).join(" · "),
    limitText(figures, figure),
    figure.durability ?? "",
    figure.cpuSeconds === undefined ? "" : rounded(figure.cpuSeconds),
  ]);
  const table = aligned(["figure", "median", "rounds", "of its limit", "durability", "CPU s"], rows);
  const lost = [
    ...report.skipped.map((reason) => `SKIPPED ${reason}`),
    ...report.failed.map((reason) => `FAILED ${reason}`),
  ];
  const heading = `${report.date}, commit ${report.commit}, ${report.machine}`;
  return [heading, table, goalTable(figures), ...lost].filter((part) => part !== "").join("\n\n");
}

/** How each goal that this run could judge was met. */
export function goalTable(figures: Figures): string {
  const rows = goals.flatMap(({ what, wanted, measured, reached, unit }) => {
    const value = measured(figures);
    if (value === undefined) return [];
    return [[what, wanted, withUnit(value, unit), reached(value) ? "reached" : "NOT REACHED"]];
  });
  return rows.length === 0 ? "" : aligned(["goal", "wanted", "measured", ""], rows);
}

const ROUNDS_SHOWN = 5;

function limitText(figures: Figures, figure: Figure): string {
  const share = figures.shareOfLimit(figure);
  return share === undefined ? "" : `${share.toFixed(2)} × ${figure.limit}`;
}

export function withUnit(value: number, unit: string): string {
  return `${rounded(value)} ${unit}`.trim();
}

/** Three digits that matter, and thousands set apart. */
export function rounded(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function aligned(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const padded = (cell: string, column: number) => cell.padEnd(widths[column] ?? 0);
  const line = (cells: readonly string[]) => cells.map(padded).join("  ").trimEnd();
  return [line(head), line(widths.map((width) => "─".repeat(width))), ...rows.map(line)].join("\n");
}
