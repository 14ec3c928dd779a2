import { element, openShadow, styleSheet } from "../../inspector/element.ts";
import { look } from "../../inspector/look.ts";
import { visibleText } from "../../inspector/visible-text.ts";
import type { WatchedRun } from "./watched-run.ts";

const REDRAWN_EVERY_MS = 200;
const LINES = 150;
const LONGEST = 400;

/** The newest lines of the run's log, the last one at the bottom and in sight. */
export class RunLog extends HTMLElement {
  readonly #list = element("ol", { tabindex: 0, role: "log", "aria-label": "Log of the run", "aria-live": "off" });
  #drawnMs = -Infinity;
  #last: string | undefined;
  #count = -1;

  constructor() {
    super();
    openShadow(this, logLook, look).append(this.#list);
  }

  show(run: WatchedRun, nowMs: number | undefined): void {
    const { log } = run.cluster;
    if (log.length === this.#count && log.at(-1) === this.#last) return;
    if (nowMs !== undefined && nowMs - this.#drawnMs < REDRAWN_EVERY_MS) return;
    this.#drawnMs = nowMs ?? -Infinity;
    this.#count = log.length;
    this.#last = log.at(-1);
    this.#list.replaceChildren(...log.slice(-LINES).map(lineOf));
    this.#list.scrollTop = this.#list.scrollHeight;
  }
}

/** "1234.500 tab-2: what it said" */
function lineOf(line: string): HTMLElement {
  const [, timeMs = "0", text = line] = /^([\d.]+) ([^]*)$/.exec(line) ?? [];
  const [, who = "", what = text] = /^(tab-\d+|server|fault|[a-z]+-\d+): ([^]*)$/.exec(text) ?? [];
  return element(
    "li",
    { class: who.replace(/-\d+$/, "") || "note" },
    element("time", {}, (Number(timeMs) / 1000).toFixed(3)),
    element("b", {}, who),
    element("span", {}, visibleText(what, LONGEST)),
  );
}

const logLook = styleSheet(`
  :host { height: 100%; }
  ol { height: 100%; overflow-y: auto; list-style: none; font: 12px/1.5 var(--mono); }
  li {
    display: grid; grid-template-columns: 62px 74px minmax(0, 1fr); gap: 0 8px; padding: 0 2px; overflow-wrap: anywhere;
  }
  time { color: var(--muted); text-align: right; font-variant-numeric: tabular-nums; }
  b { font-weight: 600; }
  .server b { color: var(--accent); }
  .fault { background: var(--bad-soft); border-radius: 3px; }
  .fault b { color: var(--bad); }
  .note { color: var(--muted); }
  .note b { display: none; }
  .note span { grid-column: 2 / 4; }
  @media (max-width: 560px) { li { grid-template-columns: 52px minmax(0, 1fr); } li span { grid-column: 2; } }
`);
