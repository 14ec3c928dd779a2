import type { StorageRoom } from "./advice.ts";
import { button, element, openShadow, setAttributes, setText, styleSheet } from "./element.ts";
import { bytes } from "./figures.ts";
import { look } from "./look.ts";

export interface StorageFigures {
  /** Bytes of this tab's logs. */
  readonly storedBytes: number;
  readonly durability: string;
  /** Undefined while the browser has not said, or cannot say. */
  readonly room: StorageRoom | undefined;
}

/** Where this tab's copies are kept, how safely, and how much room is left. Fires `keep-asked`. */
export class StorageCard extends HTMLElement {
  readonly #stored = element("dd", { class: "number" });
  readonly #room = element("dd", { class: "number" });
  readonly #meter = element("meter", { min: 0, max: 1, high: 0.9, "aria-label": "Storage used" });
  readonly #kept = element("dd");
  readonly #durability = element("dd");
  readonly #keep = button("Ask the browser to keep it", { class: "quiet small" }, () => {
    this.dispatchEvent(new CustomEvent("keep-asked"));
  });

  constructor() {
    super();
    openShadow(this, cardLook, look).append(
      element("h2", {}, "Storage"),
      element(
        "dl",
        {},
        ...entry("This tab's logs", this.#stored),
        ...entry("This browser profile", this.#room),
        ...entry("If disk runs short", this.#kept),
        ...entry("A write is durable", this.#durability),
      ),
      this.#keep,
    );
  }

  show({ storedBytes, durability, room }: StorageFigures): void {
    setText(this.#stored, bytes(storedBytes));
    setText(this.#durability, DURABILITIES.get(durability) ?? durability);
    this.#keep.hidden = room === undefined || room.persisted;
    if (room === undefined) {
      setText(this.#room, "not told by this browser");
      setText(this.#kept, "not told by this browser");
      return;
    }
    const used = `${bytes(room.usedBytes)} of ${bytes(room.quotaBytes)}`;
    if (this.#room.firstChild?.textContent !== used) this.#room.replaceChildren(used, this.#meter);
    setAttributes(this.#meter, { value: room.quotaBytes === 0 ? 0 : room.usedBytes / room.quotaBytes });
    setText(this.#kept, room.persisted ? "kept until you clear it" : "the browser may clear it");
  }
}

const DURABILITIES: ReadonlyMap<string, string> = new Map([
  ["strict", "once flushed to the disk (strict)"],
  ["relaxed", "once with the operating system (relaxed)"],
]);

function entry(name: string, value: HTMLElement): readonly HTMLElement[] {
  return [element("dt", {}, name), value];
}

const cardLook = styleSheet(`
  dl { display: grid; grid-template-columns: auto 1fr; gap: 4px 16px; margin-top: 8px; }
  dt { color: var(--muted); }
  meter { display: block; width: 100%; max-width: 130px; height: 9px; margin: 3px 0; }
  button { margin: 6px 0 0 -6px; }
`);
