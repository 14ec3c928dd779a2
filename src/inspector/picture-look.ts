import { styleSheet } from "./element.ts";

/** How the cluster picture is drawn: the leader solid, followers lighter, what is missing crossed out. */
export const pictureLook = styleSheet(`
  .scroll { overflow-x: auto; padding: 2px 8px 6px; margin: 0 -8px; }
  .scroll:focus-visible { outline-offset: -2px; }
  .hidden-visually { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table { table-layout: fixed; border-collapse: separate; border-spacing: 0; }
  .partitions { width: 104px; }
  .totals { width: 78px; }
  thead th { padding: 4px 4px 8px; text-align: center; vertical-align: top; }
  thead th > span { display: block; white-space: nowrap; font-weight: 400; line-height: 1.35; }
  thead th.records { vertical-align: bottom; }
  thead .broker-name { color: var(--ink); font-size: 14px; font-weight: 500; }
  [data-fenced] .broker-name { color: var(--muted); text-decoration: line-through; }
  thead .this-tab { color: var(--accent); font-weight: 600; }
  th.own, td.own { background: var(--own); }
  th.own { border-radius: 10px 10px 0 0; }
  tbody th[scope="rowgroup"] { padding: 12px 0 4px; position: relative; z-index: 1; max-width: 0; white-space: nowrap; }
  tbody:last-of-type tr:last-of-type td.own { border-radius: 0 0 10px 10px; }
  tbody th[scope="rowgroup"] .muted { font-weight: 400; margin-left: 6px; }
  .topic {
    border: 0; background: none; padding: 1px 2px; margin-left: -2px; color: var(--ink); font-weight: 600;
    max-width: 36ch; overflow: hidden; text-overflow: ellipsis; vertical-align: bottom;
  }
  .topic[aria-pressed="true"] {
    background: none; text-decoration: underline 2px var(--accent); text-underline-offset: 5px;
  }
  tbody td, .partition { padding: 3px 4px; }
  .partition { white-space: nowrap; color: var(--ink); font-size: 14px; padding-right: 14px; }
  .epoch { margin-left: 8px; border-radius: 4px; padding: 0 3px; font-weight: 400; }
  .records {
    position: sticky; right: 0; background: var(--card); box-shadow: 8px 0 0 var(--card);
    text-align: right !important; white-space: nowrap;
  }
  .worry { display: block; font-size: 11.5px; line-height: 1.2; color: var(--warn); }
  .worry.bad { color: var(--bad); font-weight: 600; }
  .worry:empty { display: none; }

  .cell {
    height: 38px; border-radius: 7px;
    display: flex; flex-direction: column; align-items: center; justify-content: center;
    border: 1.5px solid transparent; font-size: 12.5px; line-height: 1.2; text-align: center;
  }
  .cell[data-arrived] { box-shadow: 0 0 0 3px var(--pulse); }
  .cell[data-copy="leader"] { background: var(--accent); color: var(--on-accent); font-weight: 600; }
  .cell[data-copy="in-sync"] { background: var(--accent-soft); }
  .cell[data-copy="catching-up"] {
    border: 1.5px dashed var(--accent); color: var(--muted);
    background: repeating-linear-gradient(135deg, transparent 0 5px, var(--accent-soft) 5px 7px);
  }
  .cell[data-copy="offline"] {
    border-color: var(--line); color: var(--muted);
    background:
      linear-gradient(to top right, transparent calc(50% - 0.7px), var(--cross) 50%, transparent calc(50% + 0.7px)),
      linear-gradient(to bottom right, transparent calc(50% - 0.7px), var(--cross) 50%, transparent calc(50% + 0.7px));
  }
  .cell[data-copy="offline"] .word { background: var(--card); padding: 0 4px; border-radius: 4px; }
  .cell[data-copy="none"]::before { content: ""; width: 4px; height: 4px; border-radius: 50%; background: var(--line); }
  .offsets { font-size: 11.5px; font-weight: 400; opacity: 0.9; }
  .offsets:empty { display: none; }

  :host { container-type: inline-size; }
  @container (max-width: 460px) {
    .partitions { width: 52px; }
    .totals { width: 58px; }
    .partition { padding-right: 0; }
    .epoch { display: block; margin: 0; font-size: 11px; padding: 0; }
    .cell { font-size: 11.5px; }
  }

  .remarks { display: grid; gap: 4px; }
  .remarks:not(:empty) { margin: 8px 0 2px; }
  .caution { color: var(--warn); max-width: 70ch; }
  .legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin-top: 12px; }
  .entry { display: inline-flex; align-items: center; gap: 7px; }
  .swatch { width: 20px; height: 14px; border-radius: 4px; display: inline-block; }
`);
