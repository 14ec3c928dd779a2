import { button, element, openShadow, setAttributes, setText } from "./element.ts";
import { count, countOf, perSecond } from "./figures.ts";
import { groupPictureLook } from "./group-picture-look.ts";
import type { GroupView, PartitionLag, ReaderAction, ReaderActed, ReaderView, TopicLag } from "./group-view.ts";
import { look } from "./look.ts";
import { Ribbons } from "./ribbons.ts";
import type { Ribbon } from "./ribbons.ts";
import { visibleText } from "./visible-text.ts";

/** The tape of a partition shows so many of its newest records, or more where the lag does not fit. */
const TAPES = [100, 250, 500, 1000, 2500, 5000, 10_000, 100_000, 1_000_000];
/** Records are drawn as moving for so long after some have been committed. */
const FLOWS_MS = 1500;
/** Distance between the ends of ribbons on one card. */
const PORT_PIXELS = 14;

const ACTIONS: Readonly<Record<ReaderAction, { readonly label: string; readonly meaning: string }>> = {
  remove: { label: "Leave", meaning: "It commits, tells the group, and goes" },
  freeze: { label: "Freeze", meaning: "It stands still for ten seconds, and tells nobody" },
  kill: { label: "Kill", meaning: "It ends at once, and tells nobody" },
};

interface RowParts {
  readonly row: HTMLLIElement;
  readonly tape: HTMLElement;
  readonly read: HTMLElement;
  readonly offsets: HTMLElement;
  readonly lag: HTMLElement;
  readonly who: HTMLElement;
  readonly why: HTMLElement;
  committed: number | undefined;
  /** When the group last committed something of it, on the page's clock. */
  advancedMs: number;
}

interface CardParts {
  readonly card: HTMLLIElement;
  readonly name: HTMLElement;
  readonly where: HTMLElement;
  readonly reads: HTMLElement;
  readonly note: HTMLElement;
  readonly buttons: ReadonlyMap<ReaderAction, HTMLButtonElement>;
}

/** Partitions on the left, readers on the right, and ribbons for who reads what. Fires `reader-acted`. */
export class GroupPicture extends HTMLElement {
  readonly #partitions = element("div", { class: "partitions" });
  readonly #readers = element("ul", { class: "readers", "aria-label": "Readers" });
  readonly #nobody = element("p", { class: "muted nobody" }, "No reader yet. Press Start, or add one.");
  readonly #ribbons = new Ribbons();
  readonly #lane = element("div", { class: "lane" }, this.#ribbons.svg);
  readonly #scene = element(
    "div",
    { class: "scene" },
    this.#partitions,
    this.#lane,
    element("div", { class: "right" }, this.#readers, this.#nobody),
  );
  readonly #resized = new ResizeObserver(() => this.#drawRibbons());
  readonly #rows = new Map<string, RowParts>();
  readonly #cards = new Map<string, CardParts>();
  #shape = "";
  #view: GroupView | undefined;

  constructor() {
    super();
    openShadow(this, groupPictureLook, look).append(this.#scene, legend());
  }

  connectedCallback(): void {
    this.#resized.observe(this.#scene);
  }

  disconnectedCallback(): void {
    this.#resized.disconnect();
  }

  show(view: GroupView): void {
    this.#view = view;
    const shape = JSON.stringify(view.topics.map(({ name, partitions, hidden }) => [name, partitions.length, hidden]));
    if (shape !== this.#shape) {
      this.#shape = shape;
      this.#rebuildRows(view.topics);
    }
    this.#rebuildCards(view.readers);
    const tape = tapeOf(view.topics);
    for (const topic of view.topics) for (const partition of topic.partitions) this.#renderRow(partition, tape);
    for (const reader of view.readers) this.#renderCard(reader);
    this.#nobody.hidden = view.readers.length > 0;
    this.#drawRibbons();
  }

  #rebuildRows(topics: readonly TopicLag[]): void {
    this.#rows.clear();
    this.#partitions.replaceChildren(
      ...topics.flatMap((topic) => {
        const name = visibleText(topic.name, 60);
        const rows = topic.partitions.map((partition) => {
          const parts = rowParts(partition);
          this.#rows.set(partition.name, parts);
          return parts.row;
        });
        const shape = countOf(rows.length + topic.hidden, "partition", "partitions");
        const hidden = `and ${countOf(topic.hidden, "more partition", "more partitions")}`;
        return [
          element("h3", {}, name, element("span", { class: "muted small" }, shape)),
          element("ul", { "aria-label": `Partitions of ${name}` }, ...rows),
          ...(topic.hidden > 0 ? [element("p", { class: "muted small" }, hidden)] : []),
        ];
      }),
    );
  }

  /** Cards are kept while their readers live, so that focus stays. */
  #rebuildCards(readers: readonly ReaderView[]): void {
    const keys = new Set(readers.map(({ key }) => key));
    for (const [key, { card }] of this.#cards) {
      if (keys.has(key)) continue;
      card.remove();
      this.#cards.delete(key);
    }
    readers.forEach((reader, index) => {
      const parts = this.#cards.get(reader.key) ?? this.#newCard(reader);
      if (this.#readers.children[index] !== parts.card) {
        this.#readers.insertBefore(parts.card, this.#readers.children[index] ?? null);
      }
    });
  }

  #newCard(reader: ReaderView): CardParts {
    const [name, where] = [element("b"), element("span", { class: "where muted small" })];
    const [reads, note] = [element("p", { class: "reads" }), element("p", { class: "small note" })];
    const buttons = new Map(
      (["remove", "freeze", "kill"] as const).map((action) => {
        const { label, meaning } = ACTIONS[action];
        const attributes = { class: "small", title: meaning, "data-testid": action };
        const acted: ReaderActed = { key: reader.key, action };
        const made = button(label, attributes, () =>
          this.dispatchEvent(new CustomEvent("reader-acted", { detail: acted })),
        );
        return [action, made] as const;
      }),
    );
    const card = element(
      "li",
      { class: "card", "data-testid": "reader" },
      element("div", { class: "who" }, name, where),
      reads,
      note,
      element("div", { class: "actions" }, ...buttons.values()),
    );
    const parts = { card, name, where, reads, note, buttons };
    this.#cards.set(reader.key, parts);
    return parts;
  }

  #renderRow(partition: PartitionLag, tape: number): void {
    const parts = this.#rows.get(partition.name);
    if (parts === undefined) return;
    const { head, committed, lag, hold, unreadMs } = partition;
    const reader = this.#view?.readers.find(({ key }) => key === partition.reader);
    setAttributes(parts.row, {
      "data-hold": hold,
      "data-colour": reader === undefined ? "none" : reader.colour,
      "data-reader": reader?.name ?? "",
    });
    const share = lag === undefined || head === undefined ? 1 : 1 - Math.min(1, lag / tape);
    parts.read.style.setProperty("inline-size", `${(share * 100).toFixed(1)}%`);
    const progress = committed === undefined || head === undefined ? "" : offsetsOf(committed, head);
    setText(parts.offsets, progress);
    setText(parts.lag, lag === undefined ? "–" : count(lag));
    const name = reader === undefined ? "" : visibleText(reader.name, 32);
    setText(parts.who, hold === "read" ? name : unreadFor(unreadMs));
    setText(parts.why, hold === "silent" ? `: ${name} is silent` : "");
    const before = parts.committed;
    if (before !== undefined && committed !== undefined && committed > before) parts.advancedMs = performance.now();
    parts.committed = committed;
  }

  #renderCard(reader: ReaderView): void {
    const parts = this.#cards.get(reader.key);
    if (parts === undefined) return;
    setAttributes(parts.card, { "data-state": reader.state, "data-colour": reader.colour });
    const name = visibleText(reader.name, 32);
    setText(parts.name, name);
    setText(parts.where, reader.where);
    const rate = reader.rate === undefined || reader.state === "silent" ? "" : ` · ${perSecond(reader.rate)}/s`;
    setText(parts.reads, reader.reads === "" ? "" : `reads ${reader.reads}${rate}`);
    setText(parts.note, reader.note);
    for (const [action, made] of parts.buttons) {
      made.hidden = !reader.actions.includes(action);
      setAttributes(made, { "aria-label": `${ACTIONS[action].label} ${name}` });
    }
  }

  #drawRibbons(): void {
    const view = this.#view;
    if (view === undefined || !this.isConnected) return;
    const lane = this.#lane.getBoundingClientRect();
    const centres = new Map<string, number>();
    for (const [key, { card }] of this.#cards) {
      const { top, height } = card.getBoundingClientRect();
      centres.set(key, top + height / 2 - lane.top);
    }
    const held = new Map<string, PartitionLag[]>();
    const all = view.topics.flatMap(({ partitions }) => partitions);
    for (const partition of all) {
      if (partition.reader !== undefined) {
        held.set(partition.reader, [...(held.get(partition.reader) ?? []), partition]);
      }
    }
    const ribbons = all.flatMap((partition): Ribbon[] => {
      const row = this.#rows.get(partition.name);
      if (row === undefined) return [];
      const tape = row.tape.getBoundingClientRect();
      const fromY = tape.top + tape.height / 2 - lane.top;
      const centre = partition.reader === undefined ? undefined : centres.get(partition.reader);
      const mates = held.get(partition.reader ?? "") ?? [];
      const port = (mates.indexOf(partition) - (mates.length - 1) / 2) * portDistance(mates.length);
      const reader = view.readers.find(({ key }) => key === partition.reader);
      return [
        {
          name: partition.name,
          fromY,
          toY: centre === undefined ? fromY : centre + port,
          colour: reader?.colour,
          hold: centre === undefined ? "none" : partition.hold,
          flows: partition.hold === "read" && performance.now() - row.advancedMs < FLOWS_MS,
        },
      ];
    });
    this.#ribbons.show(ribbons, { width: lane.width, height: lane.height });
  }
}

function rowParts(partition: PartitionLag): RowParts {
  const read = element("div", { class: "read" });
  const tape = element("div", { class: "tape", "aria-hidden": "true" }, read);
  const offsets = element("span", { class: "offsets small muted number" });
  const lag = element("b", { class: "number", "data-testid": "lag" });
  const [who, why] = [element("span"), element("span", { class: "why" })];
  const by = element("span", { class: "small by" }, who, why);
  const row = element(
    "li",
    { "data-testid": "partition", "data-partition": partition.name },
    element("span", { class: "index number", title: partition.name }, String(partition.partition)),
    element("div", { class: "middle" }, tape, element("div", { class: "under" }, offsets, by)),
    element("span", { class: "lag", title: "Lag: written, and not yet committed by the group" }, lag, " behind"),
  );
  return { row, tape, read, offsets, lag, who, why, committed: undefined, advancedMs: -Infinity };
}

function legend(): HTMLElement {
  const entry = (kind: string, meaning: string) =>
    element("span", { class: "entry" }, element("i", { class: `swatch ${kind}`, "aria-hidden": "true" }), meaning);
  return element(
    "p",
    { class: "legend small muted", "data-colour": 0 },
    entry("done", "read and committed"),
    entry("left", "still to be read"),
    entry("unread", "nobody reads it now"),
  );
}

function offsetsOf(committed: number, head: number): string {
  return committed < 0 ? `none of ${count(head)}` : `${count(committed)} of ${count(head)}`;
}

function unreadFor(unreadMs: number | undefined): string {
  return unreadMs === undefined ? "unread" : `unread for ${(unreadMs / 1000).toFixed(1)} s`;
}

function tapeOf(topics: readonly TopicLag[]): number {
  const most = Math.max(0, ...topics.flatMap(({ partitions }) => partitions.map(({ lag }) => lag ?? 0)));
  return TAPES.find((tape) => tape >= most) ?? most;
}

/** Many ribbons to one card share the room that a few have. */
function portDistance(ports: number): number {
  return Math.min(PORT_PIXELS, (4 * PORT_PIXELS) / Math.max(1, ports - 1));
}
