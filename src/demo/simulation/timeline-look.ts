import { styleSheet } from "../../inspector/element.ts";

export const timelineLook = styleSheet(`
  .slider { cursor: pointer; touch-action: pan-y; border-radius: 6px; }
  svg { display: block; }
  text { font: 11px var(--sans); fill: var(--muted); font-variant-numeric: tabular-nums; }
  .time { text-anchor: middle; }
  .label { text-anchor: end; font-size: 11.5px; }
  .tick { stroke: var(--line); }
  .healed { fill: var(--good); opacity: 0.09; }
  .phase { fill: var(--good); font-size: 10.5px; }
  .ribbon { fill: var(--epoch); }
  .epoch-number { fill: var(--on-epoch); font-size: 10px; font-weight: 600; pointer-events: none; }
  .leaderless { fill: var(--bad); }
  .fault { --area: var(--muted); }
  .fault.tab { --area: var(--fault-tab); }
  .fault.disk { --area: var(--fault-disk); }
  .fault.network { --area: var(--fault-network); }
  .fault.server { --area: var(--fault-server); }
  .fault.client { --area: var(--client); }
  .fault.topic { --area: var(--accent); }
  .lasting { fill: var(--area); opacity: 0.38; }
  .onset { fill: var(--area); }
  .fault.due { opacity: 0.4; }
  .fault.void { opacity: 0.3; }
  .fault.void .lasting { fill: none; stroke: var(--area); stroke-dasharray: 2 2; opacity: 1; }
  .violation { stroke: var(--bad); stroke-width: 2; }
  .flag { fill: var(--bad); }
  .playhead line { stroke: var(--ink); stroke-width: 1.3; }
  .knob { fill: var(--ink); }
  .hover line { stroke: var(--muted); stroke-dasharray: 2 3; }
  .hover text { text-anchor: middle; fill: var(--ink); paint-order: stroke; stroke: var(--card); stroke-width: 6; }
  .hover { pointer-events: none; }
  .legend { display: flex; flex-wrap: wrap; gap: 2px 14px; margin-top: 4px; }
  .key { display: inline-flex; gap: 5px; align-items: center; }
`);
