import { element, openShadow, setAttributes, setText, styleSheet } from "./element.ts";
import { look } from "./look.ts";
import { visibleText } from "./visible-text.ts";

export interface GroupStateView {
  readonly groupId: string;
  /** As the coordinator names it; undefined until it has answered. */
  readonly state: string | undefined;
  /** `classic` or `consumer`. */
  readonly type: string;
  /** The assignor, empty while none is agreed on. */
  readonly assignor: string;
  /** The generation of a classic group, the epoch of one of KIP-848; undefined where only members know it. */
  readonly generation: number | undefined;
}

const MEANINGS: ReadonlyMap<string, string> = new Map([
  ["Empty", "no members"],
  ["PreparingRebalance", "members are called together"],
  ["CompletingRebalance", "partitions are divided"],
  ["Assigning", "partitions are divided"],
  ["Reconciling", "members hand over"],
  ["Stable", "every partition has its member"],
]);
const CLASSIC = ["Empty", "PreparingRebalance", "CompletingRebalance", "Stable"];
const CONSUMER = ["Empty", "Assigning", "Reconciling", "Stable"];

/** What the group goes through, with the present state lit, and what it has agreed on. */
export class GroupStateLine extends HTMLElement {
  readonly #title = element("h2");
  readonly #steps = element("ol", { "aria-label": "States of the group" });
  readonly #facts = element("p", { class: "small muted" });
  readonly #said = element("span", { class: "hidden-visually", role: "status", "data-testid": "group-state" });
  #shown = "";

  constructor() {
    super();
    openShadow(this, stateLook, look).append(
      element("div", { class: "row spread" }, this.#title, this.#facts),
      this.#steps,
      this.#said,
    );
  }

  show(view: GroupStateView): void {
    const { state, type } = view;
    setText(this.#title, visibleText(view.groupId, 60));
    setText(this.#facts, factsOf(view));
    setText(this.#said, state ?? "");
    const usual = type === "consumer" ? CONSUMER : CLASSIC;
    const steps = state === undefined || state === "Dead" || usual.includes(state) ? usual : [...usual, state];
    const shown = JSON.stringify(steps);
    if (shown !== this.#shown) {
      this.#shown = shown;
      this.#steps.replaceChildren(
        ...steps.map((step) => {
          const meaning = element("span", {}, MEANINGS.get(step) ?? "");
          return element("li", { "data-step": step }, element("b", {}, ...breakable(step)), meaning);
        }),
      );
    }
    for (const step of this.#steps.children) {
      const isNow = step instanceof HTMLElement && step.dataset["step"] === state;
      setAttributes(step, { "aria-current": isNow ? "step" : undefined });
    }
  }
}

function factsOf({ state, type, assignor, generation }: GroupStateView): string {
  if (state === undefined) return "asking its coordinator…";
  if (state === "Dead") return "nobody has joined it yet";
  const protocol = type === "consumer" ? "KIP-848" : "classic protocol";
  const number = type === "consumer" ? "epoch" : "generation";
  const parts = [protocol, visibleText(assignor, 40), generation === undefined ? "" : `${number} ${generation}`];
  return parts.filter((part) => part !== "").join(" · ");
}

/** Names may break before their capitals. */
function breakable(name: string): readonly (string | HTMLElement)[] {
  return name.split(/(?=[A-Z])/).flatMap((part, index) => (index === 0 ? [part] : [element("wbr"), part]));
}

const stateLook = styleSheet(`
  .hidden-visually { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  ol { list-style: none; display: flex; gap: 0; margin: 10px 0 16px; }
  li {
    flex: 1; border-top: 3px solid var(--line); padding: 5px 10px 0 0; min-width: 0; color: var(--muted);
    transition: border-color 0.3s, color 0.3s; overflow-wrap: anywhere;
  }
  li b { display: block; font-weight: 500; }
  li span { display: block; font-size: 12px; line-height: 1.3; visibility: hidden; }
  li[aria-current] { color: var(--ink); border-color: var(--accent); }
  li[aria-current] b { font-weight: 600; }
  li[aria-current] span { visibility: visible; color: var(--muted); }
  li[aria-current]:not([data-step="Stable"], [data-step="Empty"]) { border-color: var(--flash); }
  @media (max-width: 620px) {
    li { padding-right: 4px; font-size: 11.5px; }
    li span { font-size: 11px; }
  }
`);
