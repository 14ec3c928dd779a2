import { element, openShadow, setAttributes, setText, styleSheet } from "./element.ts";
import { look } from "./look.ts";

export interface Figure {
  readonly name: string;
  readonly value: string;
  /** What the number is, exactly; shown on hover. */
  readonly meaning: string;
  readonly tone?: "good" | "bad";
  readonly testId?: string;
}

/** The numbers next to the picture. */
export class NumberStrip extends HTMLElement {
  readonly #list = element("dl", { class: "strip" });
  readonly #values = new Map<string, HTMLElement>();

  constructor() {
    super();
    openShadow(this, stripLook, look).append(this.#list);
  }

  show(figures: readonly Figure[]): void {
    for (const figure of figures) {
      const value = this.#values.get(figure.name) ?? this.#add(figure);
      setText(value, figure.value);
      setAttributes(value, { "data-tone": figure.tone });
    }
  }

  #add(figure: Figure): HTMLElement {
    const value = element("dd", { class: "number", "data-testid": figure.testId });
    this.#list.append(element("div", { title: figure.meaning }, element("dt", {}, figure.name), value));
    this.#values.set(figure.name, value);
    return value;
  }
}

const stripLook = styleSheet(`
  .strip { display: flex; flex-wrap: wrap; gap: 10px 0; }
  .strip > div { flex: 1 1 112px; padding: 0 16px; border-left: 1px solid var(--line); }
  .strip > div:first-child { padding-left: 0; border: 0; }
  dt { color: var(--muted); font-size: 12.5px; white-space: nowrap; }
  dd { font: 400 23px/1.2 var(--serif); white-space: nowrap; font-variant-numeric: lining-nums tabular-nums; }
  dd[data-tone="good"] { color: var(--good); }
  dd[data-tone="bad"] { color: var(--bad); font-weight: 700; }
  @media (max-width: 700px) {
    .strip { display: grid; grid-template-columns: repeat(auto-fit, minmax(104px, 1fr)); gap: 12px 8px; }
    .strip > div { padding: 0; border: 0; }
    dd { font-size: 20px; }
  }
`);
