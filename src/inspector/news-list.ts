import { element, openShadow, styleSheet } from "./element.ts";
import { timeOfDay } from "./figures.ts";
import { look } from "./look.ts";

const ENTRIES_KEPT = 30;

/** What has happened, the newest on top. Its height is fixed, so that news move nothing else. */
export class NewsList extends HTMLElement {
  readonly #none = element("li", { class: "muted" }, "Tabs that come and go, and changes of leaders, are told here.");
  readonly #entries = element("ol", {}, this.#none);

  constructor() {
    super();
    const attributes = { class: "small log", tabindex: 0, role: "log", "aria-label": "What has happened" };
    openShadow(this, listLook, look).append(element("div", { ...attributes, "data-testid": "news" }, this.#entries));
  }

  add(sentences: readonly string[], atMs: number): void {
    if (sentences.length === 0) return;
    this.#none.remove();
    const time = element("time", { class: "number muted" }, timeOfDay(atMs).slice(0, 8));
    this.#entries.prepend(element("li", {}, time, element("span", {}, sentences.join(" "))));
    while (this.#entries.childElementCount > ENTRIES_KEPT) this.#entries.lastElementChild?.remove();
  }
}

const listLook = styleSheet(`
  .log { height: 66px; margin-top: 12px; padding-top: 8px; border-top: 1px solid var(--line); overflow-y: auto; }
  ol { list-style: none; }
  li { display: grid; grid-template-columns: 64px 1fr; line-height: 19px; overflow-wrap: anywhere; }
  li:only-child:not(:has(time)) { display: block; }
`);
