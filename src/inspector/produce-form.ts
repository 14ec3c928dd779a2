import { element, field, openShadow, setText, styleSheet } from "./element.ts";
import { count, milliseconds } from "./figures.ts";
import { look } from "./look.ts";
import { reasonOf } from "./reason.ts";
import { visibleText } from "./visible-text.ts";

export interface ProduceRequest {
  readonly topic: string;
  /** Null when no key was typed: such records are spread over the partitions. */
  readonly key: string | null;
  readonly value: string;
  /** Undefined leaves the choice to the key. */
  readonly partition: number | undefined;
  readonly acks: -1 | 0 | 1;
}

export interface ProduceResult {
  readonly partition: number;
  /** Undefined with acks=0: nobody said where the record went. */
  readonly offset: number | undefined;
  readonly waitedMs: number;
}

export type Produce = (request: ProduceRequest) => Promise<ProduceResult>;

/** Sends one record to the selected topic and says what became of it. */
export class ProduceForm extends HTMLElement {
  readonly #title = element("h2", {}, "Send a record");
  readonly #key = element("input", { "data-testid": "produce-key", placeholder: "none", autocomplete: "off" });
  readonly #value = element("input", { "data-testid": "produce-value", placeholder: "hello", autocomplete: "off" });
  readonly #partition = element("select", { "data-testid": "produce-partition" }, byKey());
  readonly #acks = element(
    "select",
    { "data-testid": "produce-acks" },
    element("option", { value: "-1" }, "all in sync"),
    element("option", { value: "1" }, "leader"),
    element("option", { value: "0" }, "nobody"),
  );
  readonly #send = element("button", { class: "primary", disabled: true, "data-testid": "produce-send" }, "Send");
  readonly #outcome = element("p", { class: "small muted outcome", role: "status", "data-testid": "produce-outcome" });
  readonly #form = element(
    "form",
    {},
    field("Key", this.#key),
    field("Value", this.#value, { class: "field value" }),
    field("Partition", this.#partition),
    field("Acknowledged by", this.#acks),
    this.#send,
  );
  #topic: string | undefined;
  #partitions = -1;
  #produce: Produce | undefined;

  constructor() {
    super();
    openShadow(this, formLook, look).append(this.#title, this.#form, this.#outcome);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit();
    });
  }

  show(topic: string | undefined, partitions: number, produce: Produce): void {
    this.#produce = produce;
    this.#send.disabled = topic === undefined;
    setText(this.#title, topic === undefined ? "Send a record" : `Send a record to ${visibleText(topic, 60)}`);
    if (topic === this.#topic && partitions === this.#partitions) return;
    this.#topic = topic;
    this.#partitions = partitions;
    const numbers = Array.from({ length: partitions }, (_, index) =>
      element("option", { value: index }, String(index)),
    );
    this.#partition.replaceChildren(byKey(), ...numbers);
  }

  async #submit(): Promise<void> {
    if (this.#topic === undefined || this.#produce === undefined) return;
    const partition = this.#partition.value === "" ? undefined : Number(this.#partition.value);
    const acks = this.#acks.value === "-1" ? -1 : this.#acks.value === "1" ? 1 : 0;
    const key = this.#key.value === "" ? null : this.#key.value;
    this.#say(acks === 0 ? "Sending…" : "Waiting for the acknowledgement…", "muted");
    try {
      const result = await this.#produce({ topic: this.#topic, key, value: this.#value.value, partition, acks });
      this.#say(outcomeOf(result), "muted");
      this.#value.select();
    } catch (error) {
      this.#say(`Not acknowledged: ${reasonOf(error)}`, "error");
    }
  }

  #say(text: string, tone: "muted" | "error"): void {
    this.#outcome.className = `small outcome ${tone}`;
    setText(this.#outcome, text);
  }
}

function byKey(): HTMLOptionElement {
  return element("option", { value: "" }, "by key");
}

function outcomeOf({ partition, offset, waitedMs }: ProduceResult): string {
  if (offset === undefined) return "Sent. Nobody was asked to acknowledge it.";
  return `Acknowledged after ${milliseconds(waitedMs)}: partition ${partition}, offset ${count(offset)}.`;
}

const formLook = styleSheet(`
  form {
    margin-top: 8px; display: grid; gap: 10px; align-items: end;
    grid-template-columns: 3fr 4fr minmax(94px, 2fr) minmax(120px, 3fr) auto;
  }
  input, select, button { height: 34px; }
  .outcome { min-height: 1.45em; margin-top: 8px; }
  :host { container-type: inline-size; }
  @container (max-width: 520px) {
    form { grid-template-columns: 1fr 1fr; }
    .value { grid-column: 1 / -1; }
  }
`);
