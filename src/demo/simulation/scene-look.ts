import { styleSheet } from "../../inspector/element.ts";

/** How the cluster is drawn: what runs is solid, what is gone crossed out, what is wrong has a colour and a shape. */
export const sceneLook = styleSheet(`
  :host { height: 100%; min-height: 360px; overflow: hidden; }
  svg { display: block; }
  text { font-family: var(--sans); fill: var(--ink); }

  .ground { fill: var(--own); }
  .ground-bridge { fill: none; stroke: var(--own); stroke-linejoin: round; stroke-linecap: round; }
  .profile { font-size: 10.5px; fill: var(--muted); text-anchor: middle; }

  .link { fill: none; stroke: var(--cross); stroke-width: 1.2; }
  .link.copy { stroke: var(--accent); stroke-width: 1.6; opacity: 0.55; }
  .link.control { stroke-dasharray: 1.5 4; stroke-linecap: round; }
  .link.client { stroke-width: 1; opacity: 0.45; }
  .link.relayed { stroke-dasharray: 9 3 2 3; }
  .link.half { stroke-dasharray: 7 5; stroke: var(--warn); opacity: 0.9; }
  .link.slow { stroke: var(--flash); stroke-width: 4; opacity: 0.75; }
  .link.cut { stroke: var(--bad); stroke-dasharray: 4 4; stroke-width: 1.3; opacity: 0.75; }
  .link.cut.none { opacity: 0.35; }
  .cut-mark { fill: var(--bad); stroke: var(--bad); stroke-width: 2.4; stroke-linecap: round; }
  .cut-mark circle { fill: var(--card); stroke: none; }
  .note {
    font-size: 10.5px; fill: var(--warn); text-anchor: middle; paint-order: stroke;
    stroke: var(--card); stroke-width: 4;
  }

  .frame { fill: var(--muted); }
  .frame.copy { fill: var(--accent); }
  .frame.client { fill: var(--client); opacity: 0.75; }
  [data-still] .frame { stroke: var(--card); stroke-width: 1; }

  .card { fill: var(--card); stroke: var(--muted); stroke-width: 1.2; }
  .ring { fill: none; stroke: none; }
  .name { font-size: 13px; font-weight: 600; }
  .broker { font-size: 11px; fill: var(--muted); text-anchor: end; }
  .state { font-size: 11.5px; fill: var(--muted); }
  .lamp { fill: var(--good); }
  .hatched, .cross, .snowflake { visibility: hidden; }
  .hatch-line { stroke: var(--warn); stroke-width: 2.4; opacity: 0.28; }
  .cross { stroke: var(--cross); stroke-width: 1.4; opacity: 0.6; }
  .snowflake { stroke: var(--ice); stroke-width: 1.5; stroke-linecap: round; }
  [data-still] [data-active] .ring { stroke: var(--flash); stroke-width: 7; opacity: 0.55; }

  [data-state="starting"] .card { stroke-dasharray: 4 3; }
  [data-state="starting"] .lamp, [data-state="stopping"] .lamp { fill: var(--flash); }
  [data-state="fenced"] .card, [data-state="unaware"] .card {
    fill: var(--warn-soft); stroke: var(--warn); stroke-width: 1.6;
  }
  [data-state="fenced"] .hatched, [data-state="unaware"] .hatched { visibility: visible; }
  [data-state="fenced"] .lamp, [data-state="unaware"] .lamp { fill: var(--warn); }
  [data-state="fenced"] .state, [data-state="unaware"] .state { fill: var(--warn); font-weight: 600; }
  [data-state="frozen"] .card { fill: var(--ice-soft); stroke: var(--ice); stroke-width: 1.6; }
  [data-state="frozen"] .snowflake { visibility: visible; }
  .tab[data-state="frozen"] .lamp { visibility: hidden; }
  [data-state="frozen"] .lamp { fill: var(--ice); }
  [data-state="frozen"] .state { fill: var(--ice); font-weight: 600; }
  [data-state="dead"] .card { fill: var(--paper); stroke: var(--cross); stroke-dasharray: 3 4; }
  [data-state="dead"] .cross { visibility: visible; }
  [data-state="dead"] .lamp { fill: var(--cross); }
  [data-state="dead"] .name, [data-state="dead"] .broker { fill: var(--muted); }
  [data-state="dead"] .state { fill: var(--bad); font-weight: 600; }

  .server .name { text-anchor: middle; }
  .server .state { text-anchor: middle; }
  .server .card { stroke: var(--ink); }
  .server[data-state="paused"] .card { fill: var(--ice-soft); stroke: var(--ice); }
  .server[data-state="paused"] .lamp { fill: var(--ice); }
  .server[data-state="paused"] .state { fill: var(--ice); font-weight: 600; }
  .server[data-state="dead"] .card { stroke: var(--bad); fill: var(--bad-soft); }
  .client .card { fill: var(--card); stroke: var(--client); stroke-width: 1; }
  .client text { font-size: 11.5px; text-anchor: middle; }

  .pip rect { fill: none; stroke: var(--line); stroke-width: 1; }
  .pip text { font-size: 9.5px; text-anchor: middle; fill: var(--muted); font-variant-numeric: tabular-nums; }
  .pip.none { opacity: 0.35; }
  .pip.leader rect { fill: var(--epoch); stroke: var(--epoch); }
  .pip.leader text { fill: var(--on-epoch); font-weight: 700; }
  .pip.in-sync rect { fill: color-mix(in srgb, var(--epoch) 24%, var(--card)); stroke: var(--epoch); }
  .pip.in-sync text { fill: var(--ink); }
  .pip.behind rect { stroke: var(--epoch); stroke-dasharray: 2 2; }
  .pip.stale rect { fill: var(--bad-soft); stroke: var(--bad); stroke-width: 2; }
  .pip.stale text { fill: var(--bad); font-weight: 700; }
  [data-state="dead"] .pip { opacity: 0.4; }
`);
