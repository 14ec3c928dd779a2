/**
 * Builds DOM without markup. Text goes in as text nodes only, so nothing that a broker or a record says can become an
 * element, and no inline style or handler is ever written: the page runs under a strict Content-Security-Policy.
 */
export type Child = Node | string | undefined;

/** An attribute that is `false` or `undefined` is left out; `true` stands alone. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  setAttributes(made, attributes);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** A button that does not submit a form. */
export function button(label: string, attributes: Attributes, onClick: () => void): HTMLButtonElement {
  const made = element("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", onClick);
  return made;
}

/** A label over its control, as forms here have them. */
export function field(label: string, control: HTMLElement, attributes: Attributes = {}): HTMLLabelElement {
  return element("label", { class: "field", ...attributes }, element("span", {}, label), control);
}

export function setAttributes(target: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) target.removeAttribute(name);
    else target.setAttribute(name, value === true ? "" : String(value));
  }
}

/** Writes only on change, so that a screen reader's live region and the layout are left alone otherwise. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** Opens the shadow root of a component, with the shared look and its own. */
export function openShadow(host: HTMLElement, own: CSSStyleSheet, shared: CSSStyleSheet): ShadowRoot {
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [shared, own];
  return root;
}

export function styleSheet(css: string): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  return sheet;
}

/** Faster than this, numbers cannot be read, and drawing them takes time from the records. */
const RENDER_EVERY_MS = 120;

/** Returns how to ask for a rendering: done soon, once for all who ask meanwhile, and not while the page is hidden. */
export function paced(render: () => void): () => void {
  let asked = false;
  let lastMs = -Infinity;
  return () => {
    if (asked) return;
    asked = true;
    const waitMs = Math.max(0, lastMs + RENDER_EVERY_MS - performance.now());
    setTimeout(() => {
      requestAnimationFrame((nowMs) => {
        asked = false;
        lastMs = nowMs;
        render();
      });
    }, waitMs);
  };
}
