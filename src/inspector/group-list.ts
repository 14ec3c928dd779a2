import type { GroupOverview } from "../index.ts";
import { element, openShadow, styleSheet } from "./element.ts";
import { countOf } from "./figures.ts";
import { look } from "./look.ts";
import { visibleText } from "./visible-text.ts";

const GROUPS_LISTED = 20;

/** The consumer groups of the cluster, each with a link to its page. */
export class GroupList extends HTMLElement {
  readonly #list = element("ul");
  readonly #page = element("a", {}, "Watch a group share partitions");
  #shown = "";

  constructor() {
    super();
    openShadow(this, listLook, look).append(element("h2", {}, "Consumer groups"), this.#list, this.#page);
  }

  /** `addressOf` leads to the page of a group; without a name, to one to begin with. */
  show(groups: readonly GroupOverview[], addressOf: (groupId?: string) => string): void {
    const key = JSON.stringify(groups);
    if (key === this.#shown) return;
    this.#shown = key;
    this.#page.href = addressOf();
    const more = groups.length - GROUPS_LISTED;
    this.#list.replaceChildren(
      ...groups.slice(0, GROUPS_LISTED).map(({ groupId, groupState, groupType }) =>
        element(
          "li",
          { "data-testid": "group" },
          element("a", { href: addressOf(groupId) }, visibleText(groupId, 60)),
          element("span", { class: "muted small" }, `${visibleText(groupState, 30)}, ${visibleText(groupType, 20)}`),
        ),
      ),
      ...(more > 0 ? [said(`and ${countOf(more, "more group", "more groups")}`)] : []),
      ...(groups.length === 0 ? [said("None yet.")] : []),
    );
  }
}

function said(text: string): HTMLLIElement {
  return element("li", { class: "muted small" }, text);
}

const listLook = styleSheet(`
  ul { list-style: none; margin: 8px 0 10px; max-height: 150px; overflow-y: auto; }
  li {
    display: flex; flex-wrap: wrap; gap: 0 10px; justify-content: space-between; align-items: baseline; padding: 2px 0;
  }
  a { color: var(--accent); overflow-wrap: anywhere; }
`);
