import { MOST_SAVED_BYTES, parseSavedRun } from "../../../tests/simulation/saved-run.ts";
import type { SavedRun } from "../../../tests/simulation/saved-run.ts";
import { button, element, openShadow, setText, styleSheet } from "../../inspector/element.ts";
import { bytes } from "../../inspector/figures.ts";
import { look } from "../../inspector/look.ts";
import { reasonOf } from "../../inspector/reason.ts";
import { visibleText } from "../../inspector/visible-text.ts";
import { MOST_SECONDS } from "./address.ts";

/** Takes a saved run: pasted, dropped or chosen. Fires `schedule-given`, or says why it cannot be run. */
export class ScheduleBox extends HTMLElement {
  readonly #text = element("textarea", {
    rows: 7, spellcheck: "false", "aria-label": "Saved run as JSON", "data-testid": "schedule-text",
    placeholder: "Paste what `npm run simulate -- --save DIR` wrote, or drop the file here.",
  });
  readonly #file = element("input", { type: "file", accept: ".json,application/json", "aria-label": "Saved run" });
  readonly #refusal = element("p", { class: "error small", role: "alert", "data-testid": "schedule-refusal" });
  #present: () => string = () => "";

  constructor() {
    super();
    const run = button("Run it", { class: "primary", "data-testid": "schedule-run" }, () => {
      this.#take(this.#text.value);
    });
    const show = button("Show this run’s", { "data-testid": "schedule-show" }, () => {
      this.#text.value = this.#present();
    });
    openShadow(this, boxLook, look).append(
      element("h2", {}, "Schedule"),
      element("p", { class: "small muted" }, "A cluster and its faults. Change them, and see what becomes of the run."),
      this.#text,
      element("div", { class: "row" }, run, show, this.#file),
      this.#refusal,
    );
    this.#file.addEventListener("change", () => void this.#read(this.#file.files?.[0]));
    this.addEventListener("dragover", (event) => event.preventDefault());
    this.addEventListener("drop", (event) => {
      event.preventDefault();
      const [file] = event.dataTransfer?.files ?? [];
      if (file === undefined) this.#take(event.dataTransfer?.getData("text/plain") ?? "");
      else void this.#read(file);
    });
  }

  /** `present` gives the run on the screen as JSON. */
  connect(present: () => string): void {
    this.#present = present;
  }

  async #read(file: File | undefined): Promise<void> {
    if (file === undefined) return;
    try {
      if (file.size > MOST_SAVED_BYTES) throw new Error(tooLarge(file.size));
      this.#take(await file.text());
    } catch (error) {
      this.#refuse(error);
    }
  }

  #take(text: string): void {
    try {
      if (text.length > MOST_SAVED_BYTES) throw new Error(tooLarge(text.length));
      const detail: SavedRun = parseSavedRun(text);
      const { seconds } = detail;
      if (seconds > MOST_SECONDS) throw new Error(`seconds is ${seconds}, of at most ${MOST_SECONDS} here`);
      this.#text.value = text;
      setText(this.#refusal, "");
      this.dispatchEvent(new CustomEvent("schedule-given", { detail }));
    } catch (error) {
      this.#refuse(error);
    }
  }

  #refuse(error: unknown): void {
    setText(this.#refusal, `This cannot be run: ${visibleText(reasonOf(error), 400)}`);
  }
}

function tooLarge(size: number): string {
  return `it has ${bytes(size)}, of at most ${bytes(MOST_SAVED_BYTES)}`;
}

const boxLook = styleSheet(`
  :host { display: grid; gap: 8px; }
  textarea { font: 12px/1.45 var(--mono); resize: vertical; }
  input[type="file"] { width: auto; max-width: 100%; flex: 1; border: 0; background: none; padding: 0; }
  input::file-selector-button { font: inherit; color: var(--accent); border: 0; background: none; padding: 0 8px 0 0; }
  .error:empty { display: none; }
`);
