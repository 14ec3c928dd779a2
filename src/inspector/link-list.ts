import { element, openShadow, styleSheet } from "./element.ts";
import { look } from "./look.ts";

export interface Link {
  readonly nodeId: number;
  /** In a word: "direct", "relay", "this tab"; undefined while none is open. */
  readonly path: string | undefined;
  readonly fenced: boolean;
}

/** How this tab reaches each broker: straight to its tab, or through the server's relay. */
export class LinkList extends HTMLElement {
  readonly #list = element("ul", { "data-testid": "links" });
  readonly #none = element("p", { class: "muted small" }, "No other tab is open yet.");
  #shown = "";

  constructor() {
    super();
    openShadow(this, listLook, look).append(element("h2", {}, "Links"), this.#list, this.#none);
  }

  show(links: readonly Link[]): void {
    const key = JSON.stringify(links);
    if (key === this.#shown) return;
    this.#shown = key;
    this.#none.hidden = links.length > 0;
    this.#list.replaceChildren(
      ...links.map(({ nodeId, path, fenced }) =>
        element(
          "li",
          {},
          element("span", { class: "number" }, `Broker ${nodeId}`),
          element("span", { class: "muted" }, fenced ? "closed" : meaningOf(path)),
        ),
      ),
    );
  }
}

const MEANINGS: ReadonlyMap<string, string> = new Map([
  ["direct", "direct, from tab to tab"],
  ["relay", "relayed by the server: no direct way was found"],
]);

function meaningOf(path: string | undefined): string {
  return path === undefined ? "no link needed so far" : (MEANINGS.get(path) ?? path);
}

const listLook = styleSheet(`
  ul { list-style: none; margin-top: 8px; }
  li { display: flex; justify-content: space-between; gap: 16px; padding: 3px 0; border-top: 1px solid var(--line); }
`);
