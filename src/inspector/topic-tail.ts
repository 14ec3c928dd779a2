import type { Kafka, TopicView } from "../index.ts";
import { button, element, field, openShadow, paced, setText, styleSheet } from "./element.ts";
import { count, countOf, timeOfDay } from "./figures.ts";
import { look } from "./look.ts";
import { reasonOf } from "./reason.ts";
import { readTopic } from "./topic-reader.ts";
import type { ReadBatch, ReadFrom, ReadRecord, TopicReader } from "./topic-reader.ts";
import { visibleBytes, visibleText } from "./visible-text.ts";

/** Rows beyond these are dropped, oldest first: the page stays quick however much arrives. */
const ROWS_KEPT = 100;
const NEWEST_AT_START = 10;
/** A live reader further behind than this leaps to the end: nobody reads that fast, and the count says so. */
const BEHIND_LIMIT = 5000;
/** Time for the page between two batches. More arrives meanwhile, and comes as one larger batch. */
const REST_AFTER_BATCH_MS = 60;
const CELL_CHARACTERS = 240;
const OPENED_CHARACTERS = 20_000;

/** The records of one topic as they arrive, newest on top. */
export class TopicTail extends HTMLElement {
  readonly #title = element("h2", {}, "Live tail");
  readonly #state = element("span", { class: "muted small", "data-testid": "tail-state" });
  readonly #pause = button("Pause", { "data-testid": "tail-pause" }, () => this.#togglePause());
  readonly #from = element(
    "select",
    { "aria-label": "Read from", "data-testid": "tail-from" },
    element("option", { value: "newest" }, "newest, then live"),
    element("option", { value: "earliest" }, "oldest record"),
    element("option", { value: "offset" }, "an offset"),
    element("option", { value: "timestamp" }, "a time"),
  );
  readonly #offset = element("input", { type: "number", min: 0, value: 0, "aria-label": "Offset", hidden: true });
  readonly #time = element("input", { type: "datetime-local", step: 1, "aria-label": "Time", hidden: true });
  readonly #rows = element("tbody", { "data-testid": "tail" });
  readonly #empty = element("p", { class: "muted empty" });
  readonly #request = paced(() => this.#render());
  #kafka: Kafka | undefined;
  #topic: string | undefined;
  #generation: string | undefined;
  #reader: Promise<TopicReader | undefined> = Promise.resolve(undefined);
  /** Counts openings, so that a reader that opens late knows that it is no longer wanted. */
  #opening = 0;
  #paused = false;
  #arrived: ReadRecord[] = [];
  #total = 0;
  #skipped = 0;

  constructor() {
    super();
    const controls = element(
      "div",
      { class: "row" },
      this.#state,
      field("Read from", this.#from),
      this.#offset,
      this.#time,
      this.#pause,
    );
    const heading = element("tr", {}, ...COLUMNS.map((name) => element("th", { scope: "col", class: name }, name)));
    openShadow(this, tailLook, look).append(
      element("div", { class: "row spread top" }, this.#title, controls),
      element(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": "Records" },
        element("table", {}, element("thead", {}, heading), this.#rows),
        this.#empty,
      ),
    );
    this.#from.addEventListener("change", () => {
      this.#offset.hidden = this.#from.value !== "offset";
      this.#time.hidden = this.#from.value !== "timestamp";
      if (this.#from.value === "timestamp" && this.#time.value === "") this.#time.valueAsNumber = localNow() - 60_000;
      this.#reopen();
    });
    this.#offset.addEventListener("change", () => this.#reopen());
    this.#time.addEventListener("change", () => this.#reopen());
  }

  /** Shows a topic. The reader goes on until another topic is shown, this one gains partitions or is made anew. */
  show(kafka: Kafka, shown: TopicView | undefined): void {
    const generation = shown === undefined ? "" : `${shown.topicId} ${shown.partitions.length}`;
    if (generation === this.#generation) return;
    const topic = shown?.name;
    this.#generation = generation;
    this.#kafka = kafka;
    this.#topic = topic;
    this.#from.value = "newest";
    this.#offset.hidden = this.#time.hidden = true;
    setText(this.#title, topic === undefined ? "Live tail" : `Live tail of ${visibleText(topic, 60)}`);
    this.#reopen();
  }

  disconnectedCallback(): void {
    this.#close();
  }

  #reopen(): void {
    this.#close();
    this.#rows.replaceChildren();
    this.#arrived = [];
    this.#total = this.#skipped = 0;
    this.#setPaused(false);
    setText(this.#empty, this.#topic === undefined ? "Choose a topic, or create one." : "No record yet.");
    this.#empty.hidden = false;
    const topic = this.#topic;
    if (this.#kafka === undefined || topic === undefined) return;
    const opening = this.#opening;
    const from = this.#chosenStart();
    this.#reader = readTopic(this.#kafka, {
      topic,
      from,
      onBatch: (batch) => (opening === this.#opening ? this.#onBatch(batch, from) : undefined),
    }).catch((error: unknown) => {
      if (opening === this.#opening) setText(this.#empty, `Cannot read: ${reasonOf(error)}`);
      return undefined;
    });
  }

  #close(): void {
    this.#opening++;
    void this.#reader.then((reader) => reader?.close());
    this.#reader = Promise.resolve(undefined);
  }

  #chosenStart(): ReadFrom {
    switch (this.#from.value) {
      case "earliest":
        return { kind: "earliest" };
      case "offset":
        return { kind: "offset", offset: wholeNumber(this.#offset.valueAsNumber) };
      case "timestamp":
        return { kind: "timestamp", timestampMs: wholeNumber(new Date(this.#time.value).getTime()) };
      default:
        return { kind: "newest", count: NEWEST_AT_START };
    }
  }

  async #onBatch(batch: ReadBatch, from: ReadFrom): Promise<void> {
    this.#total += batch.records.length;
    // A hidden page draws nothing, and must not hoard either.
    this.#arrived = [...this.#arrived, ...batch.records].slice(-ROWS_KEPT);
    if (from.kind === "newest" && batch.behind > BEHIND_LIMIT) {
      this.#skipped += batch.behind - NEWEST_AT_START;
      (await this.#reader)?.skipAhead(batch.partition, NEWEST_AT_START);
    }
    this.dispatchEvent(new CustomEvent<ReadBatch>("records-read", { detail: batch }));
    this.#request();
    await new Promise((resolve) => setTimeout(resolve, REST_AFTER_BATCH_MS));
  }

  #render(): void {
    const added = this.#arrived.splice(0).reverse();
    if (added.length === 0) return;
    this.#empty.hidden = true;
    for (const row of this.#rows.querySelectorAll(".fresh")) row.classList.remove("fresh");
    this.#rows.prepend(...added.map(recordRow));
    while (this.#rows.rows.length > ROWS_KEPT) this.#rows.deleteRow(-1);
    this.#describe();
  }

  #togglePause(): void {
    this.#setPaused(!this.#paused);
    const paused = this.#paused;
    void this.#reader.then((reader) => (paused ? reader?.pause() : reader?.resume()));
  }

  #setPaused(paused: boolean): void {
    this.#paused = paused;
    setText(this.#pause, paused ? "Resume" : "Pause");
    this.#describe();
  }

  #describe(): void {
    const read = this.#total === 0 ? "" : `${countOf(this.#total, "record", "records")} read`;
    const skipped = this.#skipped === 0 ? "" : `, ${count(this.#skipped)} skipped to keep up`;
    setText(this.#state, this.#paused ? `paused, ${read || "nothing read"}` : read + skipped);
  }
}

const COLUMNS = ["partition", "offset", "time", "key", "value"] as const;

function recordRow(record: ReadRecord): HTMLTableRowElement {
  const long = (record.value?.length ?? 0) > CELL_CHARACTERS / 2;
  const value = element("button", {
    type: "button",
    class: record.value === null ? "payload null" : "payload mono",
    "aria-expanded": long ? "false" : undefined,
  });
  value.textContent = visibleBytes(record.value, CELL_CHARACTERS);
  value.addEventListener("click", () => {
    const opened = value.getAttribute("aria-expanded") !== "true";
    value.setAttribute("aria-expanded", String(opened));
    value.textContent = visibleBytes(record.value, opened ? OPENED_CHARACTERS : CELL_CHARACTERS);
  });
  return element(
    "tr",
    { class: "fresh" },
    element("td", { class: "number partition" }, String(record.partition)),
    element("td", { class: "number offset" }, count(record.offset)),
    element("td", { class: "number time" }, timeOfDay(record.timestampMs)),
    element("td", { class: record.key === null ? "null" : undefined }, visibleBytes(record.key, 60)),
    element("td", {}, value),
  );
}

/** What was typed, or 0, the oldest, for a field that was emptied. */
function wholeNumber(typed: number): number {
  return Number.isFinite(typed) ? Math.max(0, Math.trunc(typed)) : 0;
}

/** `valueAsNumber` of a local date-time control reads local time as if it were UTC. */
function localNow(): number {
  return Date.now() - new Date().getTimezoneOffset() * 60_000;
}

const tailLook = styleSheet(`
  .top { margin-bottom: 8px; }
  .field { display: flex; align-items: center; gap: 8px; white-space: nowrap; }
  .row input, .row select { width: auto; }
  .row input[type="number"] { width: 9ch; }
  .scroll { contain: strict; height: 292px; overflow: auto; border-top: 1px solid var(--line); }
  table { table-layout: fixed; min-width: 520px; }
  thead th { position: sticky; top: 0; background: var(--card); padding: 4px 10px 4px 0; z-index: 1; }
  th.partition { width: 70px; } th.offset { width: 76px; } th.time { width: 122px; } th.key { width: 22%; }
  td {
    padding: 2px 10px 2px 0; border-top: 1px solid var(--line); vertical-align: top;
    overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
  }
  td.offset, th.offset { text-align: right; }
  td.time { color: var(--muted); }
  .payload {
    display: block; width: 100%; border: 0; border-radius: 3px; background: none; padding: 0;
    text-align: left; line-height: 20px; overflow: hidden; text-overflow: ellipsis;
  }
  .payload[aria-expanded="true"] { white-space: pre-wrap; overflow-wrap: anywhere; }
  .null { color: var(--muted); font-style: italic; }
  .empty { padding: 18px 0; }
  .fresh { background: var(--arrived); }
`);
