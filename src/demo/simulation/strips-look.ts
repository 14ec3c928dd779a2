import { styleSheet } from "../../inspector/element.ts";

export const stripsLook = styleSheet(`
  .strips { display: grid; gap: 7px; }
  .strips:not(:empty) + .empty { display: none; }
  .head { display: flex; flex-wrap: wrap; gap: 2px 9px; align-items: baseline; line-height: 1.3; }
  .head b { font-weight: 600; }
  .in-sync { margin-left: auto; }
  .epoch {
    border-radius: 5px; padding: 0 7px; background: var(--epoch); color: var(--on-epoch);
    font-size: 12px; font-weight: 600; font-variant-numeric: tabular-nums;
  }
  .leader.none { color: var(--bad); font-weight: 600; }
  svg { display: block; overflow: visible; }
  text { font: 11.5px var(--sans); fill: var(--ink); font-variant-numeric: tabular-nums; }
  .end { fill: var(--muted); }
  .track { fill: var(--own); }
  .bar { fill: var(--epoch); }
  .bar.writing { opacity: 0.35; }
  .replica.behind .bar.stored { opacity: 0.45; }
  .replica:not([data-alive]) .bar { opacity: 0.28; }
  .replica:not([data-alive]) .tab { fill: var(--muted); text-decoration: line-through; }
  .replica.leader .tab { font-weight: 700; }
  .replica.stale .tab { fill: var(--bad); font-weight: 700; }
  .mark { fill: none; stroke: var(--muted); stroke-width: 1.2; }
  .leader .mark { fill: var(--ink); stroke: var(--ink); }
  .in-sync .mark { fill: var(--muted); }
  .stale .mark { stroke: var(--bad); stroke-width: 2; }
  .high-watermark { fill: var(--ink); stroke: var(--card); stroke-width: 0.8; }
  .before { fill: none; stroke: var(--muted); stroke-width: 1.6; }
  path.committed { stroke: var(--good); stroke-width: 1.5; stroke-dasharray: 3 2.5; }
  span.committed { color: var(--good); min-width: 7.2em; text-align: right; }
`);
