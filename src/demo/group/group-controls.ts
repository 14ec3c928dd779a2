import { button, element, field, openShadow, setAttributes, setText, styleSheet } from "../../inspector/element.ts";
import { count } from "../../inspector/figures.ts";
import { look } from "../../inspector/look.ts";
import type { ProtocolName } from "./member-messages.ts";

export interface ControlsView {
  readonly writing: boolean;
  /** Why nothing can be done at present; undefined when it can. */
  readonly hindrance: string | undefined;
  readonly canAdd: boolean;
  readonly protocol: ProtocolName | undefined;
  /** Whether the group has agreed on a protocol already, with members of other pages. */
  readonly protocolFixed: boolean;
  readonly outcome: { readonly text: string; readonly failed: boolean };
}

const WRITE_RATES = [5, 20, 60, 100, 200, 500, 1000];
const READ_RATES = [10, 20, 40, 100, 250, 1000];
export const DEFAULT_WRITE_RATE = 60;
export const DEFAULT_READ_RATE = 40;
export const DEFAULT_PROTOCOL: ProtocolName = "cooperativeSticky";

const PROTOCOLS: readonly (readonly [ProtocolName, string])[] = [
  ["cooperativeSticky", "classic, cooperative-sticky"],
  ["sticky", "classic, sticky"],
  ["range", "classic, range"],
  ["roundRobin", "classic, round-robin"],
  ["consumer", "KIP-848, uniform"],
];

/**
 * Writes, paces, adds readers and chooses how partitions are shared. Fires `write-asked`, `reader-asked`,
 * `write-rate`, `read-rate` and `protocol-chosen`, the last three with the value.
 */
export class GroupControls extends HTMLElement {
  readonly #write = button("Start", { class: "primary", "data-testid": "write" }, () =>
    this.dispatchEvent(new CustomEvent("write-asked")),
  );
  readonly #add = button("Add a reader", { "data-testid": "add-reader" }, () =>
    this.dispatchEvent(new CustomEvent("reader-asked")),
  );
  readonly #protocol = element(
    "select",
    { "data-testid": "protocol" },
    ...PROTOCOLS.map(([value, label]) => element("option", { value }, label)),
  );
  readonly #outcome = element("p", { class: "small outcome", role: "status", "data-testid": "group-outcome" });

  constructor() {
    super();
    this.#protocol.value = DEFAULT_PROTOCOL;
    this.#protocol.addEventListener("change", () => this.#tell("protocol-chosen", this.#protocol.value));
    openShadow(this, controlsLook, look).append(
      element(
        "div",
        { class: "controls" },
        this.#write,
        this.#slider("write-rate", WRITE_RATES, DEFAULT_WRITE_RATE, (rate) => `Write ${count(rate)} orders/s`),
        this.#add,
        this.#slider("read-rate", READ_RATES, DEFAULT_READ_RATE, (rate) => `Each reads up to ${count(rate)}/s`),
        field("Partitions are shared by", this.#protocol, { class: "field protocol" }),
      ),
      this.#outcome,
    );
  }

  show(view: ControlsView): void {
    setText(this.#write, view.writing ? "Stop writing" : "Start");
    this.#write.classList.toggle("primary", !view.writing);
    this.#write.disabled = view.hindrance !== undefined && !view.writing;
    this.#add.disabled = view.hindrance !== undefined || !view.canAdd;
    if (view.protocol !== undefined && this.#protocol.value !== view.protocol) this.#protocol.value = view.protocol;
    this.#protocol.disabled = view.protocolFixed;
    setAttributes(this.#protocol, {
      title: view.protocolFixed ? "Members in other pages have agreed on it; remove them to choose another" : undefined,
    });
    setText(this.#outcome, view.outcome.text !== "" ? view.outcome.text : (view.hindrance ?? ""));
    this.#outcome.className = `small outcome ${view.outcome.failed ? "error" : "muted"}`;
  }

  #slider(name: string, rates: readonly number[], first: number, words: (rate: number) => string): HTMLElement {
    const slider = element("input", {
      type: "range",
      min: 0,
      max: rates.length - 1,
      value: rates.indexOf(first),
      "data-testid": name,
    });
    const made = field(words(first), slider);
    const label = made.firstElementChild;
    const chosen = (): number => rates[Number(slider.value)] ?? first;
    const describe = (): void => {
      if (label !== null) setText(label, words(chosen()));
      setAttributes(slider, { "aria-valuetext": words(chosen()) });
    };
    describe();
    slider.addEventListener("input", () => {
      describe();
      this.#tell(name, chosen());
    });
    return made;
  }

  #tell(name: string, value: string | number): void {
    this.dispatchEvent(new CustomEvent(name, { detail: value }));
  }
}

const controlsLook = styleSheet(`
  .controls {
    display: grid; grid-template-columns: auto 1fr auto 1fr minmax(190px, auto); gap: 12px 18px; align-items: end;
  }
  .controls input[type="range"] { height: 22px; margin: 0; }
  .controls > button { min-width: 118px; }
  .field > span { font-variant-numeric: tabular-nums; white-space: nowrap; }
  .outcome:not(:empty) { margin-top: 10px; }
  :host { container-type: inline-size; }
  @container (max-width: 820px) {
    .controls { grid-template-columns: auto minmax(0, 1fr); }
    .protocol { grid-column: 1 / -1; }
  }
`);
