import type { Figure, Report } from "./figure.ts";
import { Figures } from "./figures.ts";
import { goals } from "./goals.ts";
import { rounded, withUnit } from "./report-table.ts";
import { STYLE } from "./report-style.ts";
import { median } from "./statistics.ts";

/** The report as one HTML page: what was to be reached, then a chart for the figures of each scenario and unit. */
export function reportPage(report: Report): string {
  const figures = new Figures(report);
  const names = [...new Set(report.figures.map(({ scenario }) => scenario))];
  const lost = [...report.skipped.map((text) => `Skipped: ${text}`), ...report.failed.map((text) => `Failed: ${text}`)];
  const items = lost.map((text) => `<li>${escaped(text)}</li>`).join("");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tabstream bench, ${escaped(report.date)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>Tabstream bench</h1>
<p>${escaped(report.date)} · commit ${escaped(report.commit)} · ${escaped(report.machine)}</p>
</header>
${goalSection(figures)}
${names.map((name) => scenarioSection(name, report.figures, figures)).join("\n")}
${lost.length === 0 ? "" : `<section><h2>left out</h2><ul>${items}</ul></section>`}
<footer>A bar is the median of its rounds, each of which is a dot. A mark across it is the limit of the same
rounds. Only ratios within a run hold: absolute figures are those of this machine at that hour.</footer>
</body>
</html>
`;
}

function goalSection(figures: Figures): string {
  const rows = goals.flatMap(({ what, wanted, measured, reached, unit }) => {
    const value = measured(figures);
    if (value === undefined) return [];
    const state = reached(value) ? `<b class="good">reached</b>` : `<b class="bad">not reached</b>`;
    const cells = [escaped(what), escaped(wanted), escaped(withUnit(value, unit)), state];
    return [`<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`];
  });
  if (rows.length === 0) return "";
  const titles = ["goal", "wanted", "measured", ""].map((title) => `<th>${title}</th>`).join("");
  const table = `<table><thead><tr>${titles}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
  return `<section><h2>goals</h2>${table}</section>`;
}

function scenarioSection(name: string, all: readonly Figure[], figures: Figures): string {
  const own = all.filter(({ scenario }) => scenario === name);
  const units = [...new Set(own.map(({ unit }) => unit))];
  const charts = units.map((unit) => chart(own.filter((figure) => figure.unit === unit), unit, figures));
  return `<section><h2>${escaped(name)}</h2>${charts.join("")}</section>`;
}

/** Bars on one scale, which reaches from nothing to the largest round. */
function chart(own: readonly Figure[], unit: string, figures: Figures): string {
  const most = Math.max(...own.flatMap(({ rounds }) => rounds), Number.MIN_VALUE);
  const at = (value: number) => `${Math.max(0, Math.min(100, (100 * value) / most)).toFixed(2)}%`;
  const rows = own.map((figure) => {
    const limit = figure.limit === undefined ? undefined : figures.median(figure.scenario, figure.limit);
    const mark = limit === undefined ? "" : `<i class="limit" style="left:${at(limit)}"></i>`;
    const dots = figure.rounds.map((round) => `<i class="round" style="left:${at(round)}"></i>`).join("");
    const share = figures.shareOfLimit(figure);
    const notes = [
      share === undefined ? "" : `${share.toFixed(2)} × ${figure.limit}`,
      figure.durability ?? "",
      figure.cpuSeconds === undefined ? "" : `${rounded(figure.cpuSeconds)} CPU s`,
    ].filter((note) => note !== "");
    return `<div class="row">
<span class="name">${escaped(figure.name)}<small>${escaped(notes.join(" · "))}</small></span>
<span class="plot"><i class="bar" style="width:${at(median(figure.rounds))}"></i>${mark}${dots}</span>
<span class="value">${rounded(median(figure.rounds))}</span>
</div>`;
  });
  const better = own[0]?.better === "lower" ? "less is better" : "more is better";
  return `<h3>${escaped(unit === "" ? "ratio or number" : unit)} <small>${better}</small></h3>${rows.join("\n")}`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
