import { element, openShadow, setText, styleSheet } from "./element.ts";
import { briefly, countOf } from "./figures.ts";
import { look } from "./look.ts";
import { visibleText } from "./visible-text.ts";

export interface RebalanceView {
  readonly id: number;
  /** Of its beginning, in words. */
  readonly time: string;
  /** What brought it about. */
  readonly cause: string;
  /** From the group's first step until every partition had a reader; undefined while under way. */
  readonly tookMs: number | undefined;
  readonly done: boolean;
  /** Whether the group itself knows of what happened. */
  readonly noticed: boolean;
  readonly changes: readonly ChangeView[];
  readonly unmoved: number;
}

export interface ChangeView {
  /** The number of the partition. */
  readonly partition: string;
  /** Who reads it now; empty while nobody does. */
  readonly to: string;
  readonly colour: number | undefined;
  readonly moved: boolean;
  readonly unreadMs: number | undefined;
}

/** The recent rebalances, the newest first: what moved, and how long it was not read. */
export class RebalanceList extends HTMLElement {
  readonly #list = element("ol", { tabindex: 0, "aria-label": "Rebalances, the newest first" });
  readonly #none = element("p", { class: "muted" }, "None yet. They are listed as they happen.");
  readonly #said = element("p", { class: "hidden-visually", role: "status" });
  #shown = "";

  constructor() {
    super();
    openShadow(this, listLook, look).append(element("h2", {}, "Rebalances"), this.#none, this.#list, this.#said);
  }

  show(rebalances: readonly RebalanceView[]): void {
    const key = JSON.stringify(rebalances);
    if (key === this.#shown) return;
    this.#shown = key;
    this.#none.hidden = rebalances.length > 0;
    this.#list.replaceChildren(...rebalances.map(entryOf));
    const [newest] = rebalances.filter(({ done }) => done);
    if (newest !== undefined) setText(this.#said, `${newest.cause}. ${summaryOf(newest)}`);
  }
}

function entryOf(rebalance: RebalanceView): HTMLLIElement {
  return element(
    "li",
    { "data-testid": "rebalance", "data-done": rebalance.done },
    element(
      "div",
      { class: "head" },
      element("b", {}, visibleText(rebalance.cause, 160)),
      element("span", { class: "small muted number" }, rebalance.time),
    ),
    element("p", { class: "small" }, summaryOf(rebalance)),
    element("ul", { class: "changes" }, ...rebalance.changes.map((change) => changeOf(change, rebalance.done))),
  );
}

function changeOf({ partition, to, colour, moved, unreadMs }: ChangeView, done: boolean): HTMLLIElement {
  const reader = to !== "" ? visibleText(to, 32) : done ? "nobody" : "nobody yet";
  const where = moved ? ` → ${reader}` : ` stayed with ${reader}`;
  const unread = unreadMs === undefined || (done && to === "") ? "" : `, unread ${briefly(unreadMs)}`;
  return element(
    "li",
    { class: "small number", "data-colour": colour ?? "none" },
    element("b", {}, partition),
    `${where}${unread}`,
  );
}

function summaryOf({ done, noticed, tookMs, changes, unmoved }: RebalanceView): string {
  if (!done) return noticed ? "Under way." : "The group has not noticed yet.";
  const moved = changes.length === 0 ? " Nothing moved." : "";
  const kept = unmoved === 0 ? "" : ` ${countOf(unmoved, "partition was", "partitions were")} read without a pause.`;
  return `Took ${briefly(tookMs ?? 0)}.${moved}${kept}`;
}

const COLOURS = 6;

function colourRules(): string {
  const rule = (_: unknown, k: number) => `.changes [data-colour="${k}"] { border-left-color: var(--partition-${k}); }`;
  return Array.from({ length: COLOURS }, rule).join("");
}

const listLook = styleSheet(`
  .hidden-visually { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  h2 { margin-bottom: 8px; }
  ol { list-style: none; max-height: 330px; overflow-y: auto; }
  ol > li { padding: 8px 0; border-top: 1px solid var(--line); }
  ol > li[data-done="false"], ol > li:not([data-done]) { background: var(--warn-soft); }
  .head { display: flex; justify-content: space-between; gap: 10px; align-items: baseline; }
  .head b { font-weight: 600; overflow-wrap: anywhere; }
  .head span { flex: none; }
  .changes { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 6px; margin-top: 5px; }
  .changes li {
    border: 1px solid var(--line); border-left: 4px solid var(--cross); border-radius: 5px; padding: 1px 7px;
  }
  ${colourRules()}
`);
