import type { Notice } from "./advice.ts";
import { element, openShadow, styleSheet } from "./element.ts";
import { look } from "./look.ts";

/** Says what does not work at present, what works all the same, and what helps. Silent when all is well. */
export class BrokerBanner extends HTMLElement {
  readonly #notices = element("div", { class: "notices", role: "status", "aria-live": "polite" });
  #shown = "";

  constructor() {
    super();
    openShadow(this, bannerLook, look).append(this.#notices);
  }

  show(notices: readonly Notice[]): void {
    const key = JSON.stringify(notices);
    if (key === this.#shown) return;
    this.#shown = key;
    this.hidden = notices.length === 0;
    this.#notices.replaceChildren(
      ...notices.map((notice) =>
        element(
          "div",
          { class: `notice ${notice.level}`, "data-testid": "notice" },
          element("strong", {}, notice.title),
          element("span", {}, notice.text),
        ),
      ),
    );
  }
}

const bannerLook = styleSheet(`
  .notices { display: grid; gap: 8px; }
  .notice {
    border-left: 3px solid var(--accent); border-radius: 4px 8px 8px 4px; background: var(--accent-wash);
    padding: 9px 14px; display: grid; gap: 1px; overflow-wrap: anywhere;
  }
  .notice strong { font-weight: 600; }
  .notice span { color: var(--ink); opacity: 0.85; }
  .warning { border-color: var(--warn); background: var(--warn-soft); }
  .error { border-color: var(--bad); background: var(--bad-soft); color: var(--ink); }
`);
