import { styleSheet } from "./element.ts";

/**
 * What the components share. Colours and fonts are custom properties of the page, which a shadow root inherits:
 * `--ink --muted --line --card --paper --accent --accent-soft --on-accent --warn --warn-soft --bad --bad-soft --good`,
 * `--sans --serif --mono`.
 */
export const look = styleSheet(`
  :host { display: block; color: var(--ink); font: 400 14px/1.45 var(--sans); min-width: 0; }
  :host([hidden]), [hidden] { display: none !important; }
  * { box-sizing: border-box; }
  h2, h3, p, dl, dd, ol, ul, table { margin: 0; padding: 0; }
  h2 { font: 500 18px/1.25 var(--serif); letter-spacing: -0.005em; }
  .muted { color: var(--muted); }
  .small { font-size: 12.5px; }
  .number { font-variant-numeric: tabular-nums; }
  .mono { font-family: var(--mono); font-size: 12.5px; }
  bdi, td, th { unicode-bidi: isolate; }

  .row { display: flex; flex-wrap: wrap; gap: 8px 10px; align-items: center; }
  .spread { justify-content: space-between; }

  button, select, input, textarea { font: inherit; color: inherit; }
  button {
    border: 1px solid var(--line); border-radius: 7px; background: var(--card); padding: 5px 12px; cursor: pointer;
    white-space: nowrap;
  }
  button:hover:not(:disabled) { border-color: var(--muted); }
  button:disabled { opacity: 0.5; cursor: default; }
  button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
  button.primary:hover:not(:disabled) { filter: brightness(1.08); }
  button.quiet { border-color: transparent; background: none; color: var(--accent); padding-inline: 6px; }
  button[aria-pressed="true"] { background: var(--accent-soft); border-color: var(--accent); }
  input, select, textarea {
    border: 1px solid var(--line); border-radius: 7px; background: var(--paper); padding: 5px 9px;
    width: 100%; min-width: 0;
  }
  input[type="range"] { padding: 0; border: 0; background: none; accent-color: var(--accent); }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
  .field { display: grid; gap: 3px; min-width: 0; }
  .field > span { color: var(--muted); font-size: 12.5px; }

  table { border-collapse: collapse; width: 100%; }
  th { font-weight: 500; text-align: left; color: var(--muted); font-size: 12.5px; }
  details > summary { cursor: pointer; color: var(--accent); }
  .error { color: var(--bad); overflow-wrap: anywhere; }
`);
