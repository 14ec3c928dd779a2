import type { SimulationResult } from "../../../tests/simulation/simulate.ts";
import { button, element, openShadow, setText, styleSheet } from "../../inspector/element.ts";
import { count, countOf } from "../../inspector/figures.ts";
import { look } from "../../inspector/look.ts";
import { visibleText } from "../../inspector/visible-text.ts";
import { seconds } from "./moments.ts";
import type { RunRequest, WatchedRun } from "./watched-run.ts";

/** The time before a violation that is worth watching. */
const LEAD_UP_US = 2_000_000;

/** What a run has come to. A violation stays in sight when the watcher jumps back to look what led to it. */
export class RunOutcome extends HTMLElement {
  readonly #body = element("div", { role: "status", "aria-live": "polite" });
  #shown: unknown;
  #result: SimulationResult | undefined;

  constructor() {
    super();
    openShadow(this, outcomeLook, look).append(this.#body);
  }

  connectedCallback(): void {
    this.hidden = this.#shown === undefined;
  }

  show(run: WatchedRun): void {
    const { end } = run.history;
    if (end === undefined) this.#result = undefined;
    this.#result = run.result ?? this.#result;
    const shown = end === undefined ? undefined : this.#result;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.hidden = shown === undefined;
    if (shown === undefined || end === undefined) this.#body.replaceChildren();
    else if (shown.violation === undefined) this.#body.replaceChildren(...this.#passed(shown));
    else this.#body.replaceChildren(...this.#failed(shown, end.atUs, run.request));
  }

  #passed(result: SimulationResult): readonly HTMLElement[] {
    const verdict = element("b", { "data-testid": "verdict" }, "passed");
    return [element("div", { class: "verdict passed" }, tick(), verdict, ...facts(result), marks(result))];
  }

  #failed(result: SimulationResult, atUs: number, request: RunRequest): readonly HTMLElement[] {
    const { rule, evidence } = result.violation!;
    const watch = button("Watch what led to it", { class: "primary", "data-testid": "watch-again" }, () => {
      const from = Math.max(0, atUs - LEAD_UP_US);
      this.dispatchEvent(new CustomEvent("moment-chosen", { detail: from }));
    });
    return [
      element(
        "div",
        { class: "verdict failed" },
        element(
          "p",
          { class: "rule" },
          cross(),
          element("b", { "data-testid": "verdict" }, "failed"),
          element("span", { "data-testid": "rule" }, visibleText(rule, 300)),
          element("span", { class: "muted" }, `at ${seconds(atUs)}`),
        ),
        element("p", { class: "evidence", "data-testid": "evidence" }, readable(evidence)),
        element("p", { class: "row" }, watch, ...facts(result), element("code", {}, rerunLine(request))),
        marks(result),
      ),
    ];
  }
}

/** For a terminal. A schedule of its own comes from a file, which the box for schedules shows. */
function rerunLine({ seed, seconds: runSeconds, schedule }: RunRequest): string {
  const run = schedule === undefined ? `--seed ${seed} --seconds ${runSeconds}` : "--schedule FILE";
  return `npm run simulate -- ${run}`;
}

/** Stacks have lines, which are kept. */
function readable(evidence: string): string {
  return evidence
    .split("\n")
    .slice(0, 40)
    .map((line) => visibleText(line, 1_000))
    .join("\n");
}

function facts({ traceHash, events, acknowledged, read, virtualMs }: SimulationResult): readonly HTMLElement[] {
  const fact = (name: string, value: string, testId: string) =>
    element("span", { class: "fact" }, `${name} `, element("b", { class: "number", "data-testid": testId }, value));
  return [
    fact("trace hash", traceHash, "trace-hash"),
    fact("acknowledged", count(acknowledged), "acknowledged"),
    fact("read", count(read), "read"),
    fact("events", count(events), "events"),
    fact("virtual time", seconds(virtualMs * 1000), "virtual-time"),
  ];
}

function marks({ marks: reached }: SimulationResult): HTMLElement {
  const rows = [...reached].sort(([left], [right]) => (left < right ? -1 : 1)).map(([name, times]) => {
    return element("li", {}, element("span", {}, name), element("b", { class: "number" }, count(times)));
  });
  const summary = element("summary", {});
  setText(summary, `${countOf(rows.length, "mark", "marks")} reached`);
  return element("details", { "data-testid": "marks" }, summary, element("ul", {}, ...rows));
}

function tick(): HTMLElement {
  return element("span", { class: "sign", "aria-hidden": "true" }, "✓");
}

function cross(): HTMLElement {
  return element("span", { class: "sign", "aria-hidden": "true" }, "✗");
}

const outcomeLook = styleSheet(`
  .verdict { border-radius: 9px; padding: 9px 14px; }
  .passed { display: flex; flex-wrap: wrap; gap: 3px 18px; align-items: baseline; background: var(--good-soft); }
  .passed > b { color: var(--good); font: 500 19px/1.2 var(--serif); margin-left: -12px; }
  .sign { font-weight: 700; color: var(--good); font-size: 17px; }
  .failed { display: grid; gap: 6px; background: var(--bad-soft); border: 1.5px solid var(--bad); }
  .failed .sign { color: var(--bad); }
  .rule { display: flex; flex-wrap: wrap; gap: 2px 10px; align-items: baseline; font-size: 16px; }
  .rule b { color: var(--bad); font: 500 19px/1.2 var(--serif); }
  .rule span { overflow-wrap: anywhere; }
  .rule [data-testid="rule"] { font-weight: 600; }
  details[open] { flex-basis: 100%; }
  .evidence { white-space: pre-wrap; overflow-wrap: anywhere; max-height: 9.5em; overflow-y: auto; }
  .fact { color: var(--muted); }
  .fact b { color: var(--ink); font-weight: 600; }
  code { font: 12px var(--mono); color: var(--ink); overflow-wrap: anywhere; }
  ul { list-style: none; columns: 260px; column-gap: 28px; margin-top: 6px; }
  li { display: flex; justify-content: space-between; gap: 10px; border-bottom: 1px solid var(--line); padding: 1px 0; }
  li b { font-weight: 500; }
`);
