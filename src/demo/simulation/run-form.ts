import { button, element, field, openShadow, setText, styleSheet } from "../../inspector/element.ts";
import { look } from "../../inspector/look.ts";
import { MOST_SECONDS, MOST_SEED, readMoment, readSeconds, readSeed, RefusedAddress } from "./address.ts";

/** What was typed, once it makes sense. */
export interface TypedRun {
  readonly seed: number;
  readonly seconds: number;
  readonly atSeconds: number | undefined;
}

/** Which seed to run. Fires `run-asked`; what cannot be run is refused beside the field. */
export class RunForm extends HTMLElement {
  readonly #seed = element("input", { inputmode: "numeric", autocomplete: "off", "data-testid": "seed", size: 8 });
  readonly #seconds = element("input", {
    inputmode: "numeric", autocomplete: "off", "data-testid": "seconds", size: 5,
  });
  readonly #at = element("input", {
    inputmode: "decimal", autocomplete: "off", placeholder: "start", "data-testid": "at", size: 7,
  });
  readonly #refusal = element("p", { class: "error small", role: "alert", "data-testid": "refusal" });
  readonly #next = button("Next seed", { title: "Key N", "data-testid": "next-seed" }, () => this.nextSeed());
  readonly #form = element(
    "form",
    { novalidate: true },
    field("Seed", this.#seed, { class: "field", title: `A whole number from 0 to ${MOST_SEED}` }),
    field("Seconds", this.#seconds, { class: "field", title: `Of load and faults, from 1 to ${MOST_SECONDS}` }),
    field("At", this.#at, { class: "field", title: "The moment to jump to, in seconds; empty to play from the start" }),
    element("button", { type: "submit", class: "primary", "data-testid": "run" }, "Run"),
    this.#next,
  );

  constructor() {
    super();
    openShadow(this, formLook, look).append(this.#form, this.#refusal);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  show({ seed, seconds, atSeconds }: TypedRun): void {
    this.#seed.value = String(seed);
    this.#seconds.value = String(seconds);
    this.#at.value = atSeconds === undefined ? "" : String(atSeconds);
    setText(this.#refusal, "");
  }

  nextSeed(): void {
    this.#at.value = "";
    this.#seed.value = String(Number(this.#seed.value) + 1);
    this.#submit();
  }

  #submit(): void {
    try {
      const seed = readSeed(this.#seed.value.trim());
      const seconds = readSeconds(this.#seconds.value.trim());
      const at = this.#at.value.trim();
      const detail: TypedRun = { seed, seconds, atSeconds: at === "" ? undefined : readMoment(at, seconds) };
      setText(this.#refusal, "");
      this.dispatchEvent(new CustomEvent("run-asked", { detail }));
    } catch (error) {
      if (!(error instanceof RefusedAddress)) throw error;
      setText(this.#refusal, error.message);
    }
  }
}

const formLook = styleSheet(`
  form { display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: end; }
  .field { grid-auto-flow: column; align-items: center; gap: 7px; }
  input { width: auto; }
  .error:empty { display: none; }
  .error { margin-top: 4px; }
  @media (max-width: 620px) {
    form { display: grid; grid-template-columns: 1fr 1fr 1fr; }
    .field { grid-auto-flow: row; gap: 2px; }
    input { width: 100%; }
    button.primary { grid-column: span 2; }
  }
`);
