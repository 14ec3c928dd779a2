import { styleSheet } from "./element.ts";

const COLOURS = 6;

/** How the picture of a group is drawn: everything that a reader has is in its colour. */
export const groupPictureLook = styleSheet(`
  :host { container-type: inline-size; }
  [data-colour] { --reader: var(--cross); }
  ${Array.from({ length: COLOURS }, (_, k) => `[data-colour="${k}"] { --reader: var(--partition-${k}); }`).join("")}
  .scene {
    display: grid; grid-template-columns: minmax(0, 12fr) minmax(48px, 7fr) minmax(0, 9fr); align-items: stretch;
  }
  .partitions, .right { min-width: 0; align-self: center; }
  h3 { font: 600 14px/1.45 var(--sans); margin: 0 0 8px 30px; display: flex; gap: 8px; align-items: baseline; }
  h3:not(:first-child) { margin-top: 12px; }
  h3 .muted { font-weight: 400; }
  ul { list-style: none; margin: 0; padding: 0; }

  .partitions li { display: grid; grid-template-columns: 22px 80px minmax(0, 1fr); gap: 8px; height: 48px; }
  .index { font: 500 18px/18px var(--serif); text-align: right; color: var(--muted); }
  .lag { grid-row: 1; grid-column: 2; font-size: 12.5px; line-height: 18px; color: var(--muted); white-space: nowrap; }
  .lag b { font-size: 15px; font-weight: 600; color: var(--ink); }
  .middle { grid-row: 1; grid-column: 3; }
  .tape {
    height: 18px; border-radius: 5px 0 0 5px; overflow: hidden; display: flex; background: var(--reader);
    transition: background-color 0.5s;
  }
  .read {
    background: color-mix(in srgb, var(--reader) 22%, var(--card)); transition: inline-size 0.3s linear;
    border-right: 2px solid var(--card);
  }
  li[data-hold="none"] .tape, li[data-hold="silent"] .tape {
    background: repeating-linear-gradient(135deg, var(--cross) 0 5px, transparent 5px 9px);
  }
  li[data-hold="none"] .read, li[data-hold="silent"] .read { background: var(--own); }
  .under { display: flex; justify-content: space-between; gap: 10px; padding-right: 8px; white-space: nowrap; }
  .under > * { overflow: hidden; text-overflow: ellipsis; }
  .by { color: var(--reader); font-weight: 500; flex: none; max-width: 70%; }
  li[data-hold="none"] .by, li[data-hold="silent"] .by { color: var(--warn); }

  .lane { position: relative; }
  svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
  path { fill: none; stroke-linecap: butt; }
  .band { stroke: var(--reader); stroke-width: 9; opacity: 0.38; transition: stroke 0.5s, opacity 0.3s; }
  .flow { stroke: var(--reader); stroke-width: 4; stroke-linecap: round; stroke-dasharray: 0.1 21.9; opacity: 0; }
  [data-flows] .flow { opacity: 1; animation: flow 1s steps(11) infinite; }
  [data-hold="silent"] .band { stroke-dasharray: 3 7; opacity: 0.7; }
  [data-hold="none"] .band { stroke: var(--warn); stroke-dasharray: 3 4; opacity: 0.7; }
  @keyframes flow { from { stroke-dashoffset: 22; } to { stroke-dashoffset: 0; } }

  .readers { display: grid; gap: 10px; }
  .nobody { padding: 8px 12px; }
  .card {
    border: 1px solid var(--line); border-left: 5px solid var(--reader); border-radius: 3px 9px 9px 3px;
    padding: 8px 12px 9px; background: var(--paper); min-width: 0;
  }
  .card[data-state="silent"] { border-style: dashed; border-left-style: dashed; background: none; }
  .card[data-state="silent"] b, .card[data-state="leaving"] b { color: var(--muted); }
  .card[data-state="silent"] .reads { text-decoration: line-through; color: var(--muted); }
  .who { display: flex; flex-wrap: wrap; gap: 0 8px; align-items: baseline; }
  b { font-weight: 600; overflow-wrap: anywhere; }
  .reads { font-variant-numeric: tabular-nums; }
  .reads:empty, .note:empty { display: none; }
  .note { color: var(--muted); }
  [data-state="silent"] .note, [data-state="joining"] .note { color: var(--warn); }
  [data-state="failed"] .note { color: var(--bad); overflow-wrap: anywhere; }
  .actions { display: flex; flex-wrap: wrap; gap: 5px; }
  .actions:not(:has(button:not([hidden]))) { display: none; }
  .actions button { padding: 2px 9px; margin-top: 6px; background: var(--card); }

  .legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin-top: 12px; }
  .entry { display: inline-flex; align-items: center; gap: 7px; }
  .swatch { width: 20px; height: 12px; border-radius: 3px; }
  .done { background: color-mix(in srgb, var(--reader) 22%, var(--card)); }
  .left { background: var(--reader); }
  .unread { background: repeating-linear-gradient(135deg, var(--cross) 0 5px, transparent 5px 9px); }

  @container (min-width: 900px) {
    .card { display: grid; grid-template-columns: minmax(0, 1fr) auto; column-gap: 12px; }
    .card > * { grid-column: 1; }
    .card > .actions { grid-column: 2; grid-row: 1 / span 3; align-self: center; margin: 0; }
    .actions button { margin: 0; }
    .card:not(:has(button:not([hidden]))) > * { grid-column: 1 / -1; }
  }
  @container (max-width: 620px) {
    .scene { grid-template-columns: minmax(0, 9fr) minmax(26px, 2fr) minmax(0, 10fr); }
    .partitions li { grid-template: auto auto / 14px minmax(0, 1fr); gap: 2px 6px; height: 66px; align-content: start; }
    .middle { grid-row: 2; grid-column: 2; }
    .tape { height: 14px; }
    .offsets, .why { display: none; }
    .by { max-width: none; }
    h3 { margin-left: 20px; }
    h3 .muted { display: none; }
    .card { padding: 6px; }
    .actions { gap: 3px; }
    .actions button { padding: 3px 4px; min-height: 26px; font-size: 12px; }
    .where { display: none; }
  }
  @media (prefers-reduced-motion: reduce) {
    .flow { animation: none !important; stroke-dasharray: 3 19; }
    .tape, .read, .band { transition: none; }
  }
`);
