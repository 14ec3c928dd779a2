import type { BrokerStatus } from "../index.ts";
import { button, element, oncePerFrame, openShadow, setAttributes, setText, styleSheet } from "./element.ts";
import { count, countOf } from "./figures.ts";
import { look } from "./look.ts";
import type { Copy, GridColumn, GridRow, GridTopic, ReplicaGrid, Worry } from "./replica-grid.ts";
import { visibleText } from "./visible-text.ts";

/** What is known about one partition's log, from this tab's copy or asked from its leader. */
export interface LogFigures {
  readonly highWatermark: number;
  /** Only of this tab's own copy. */
  readonly logEndOffset: number | undefined;
}

export interface Picture {
  readonly grid: ReplicaGrid;
  readonly own: BrokerStatus | undefined;
  readonly selected: string | undefined;
  /** How this tab reaches a broker, in a word; absent while no link is open. */
  readonly paths: ReadonlyMap<number, string>;
  /** By `partitionName`. */
  readonly figures: ReadonlyMap<string, LogFigures>;
}

export function partitionName(topic: string, partitionIndex: number): string {
  return `${topic}-${partitionIndex}`;
}

/** The one picture: brokers are columns, partitions are rows, the leader is solid. Fires `topic-selected`. */
export class ClusterPicture extends HTMLElement {
  readonly #table = element("table");
  readonly #remarks = element("div", { class: "remarks" });
  readonly #request = oncePerFrame(() => this.#render());
  #picture: Picture | undefined;
  #rows = new Map<string, RowParts>();
  #shape = "";

  constructor() {
    super();
    openShadow(this, pictureLook, look).append(
      element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Brokers and partitions" }, this.#table),
      this.#remarks,
      legend(),
    );
  }

  show(picture: Picture): void {
    this.#picture = picture;
    this.#request();
  }

  #render(): void {
    const picture = this.#picture;
    if (picture === undefined) return;
    const shape = shapeOf(picture);
    if (shape !== this.#shape) {
      this.#shape = shape;
      this.#rebuild(picture);
    }
    for (const topic of picture.grid.topics) {
      for (const row of topic.rows) this.#renderRow(topic, row, picture);
    }
  }

  /** Cells are kept while the rows and columns stay the same, so that animations run on and focus stays. */
  #rebuild({ grid, paths, selected }: Picture): void {
    const before = this.#rows;
    this.#rows = new Map();
    const bodies = grid.topics.map((topic) => {
      const rows = topic.rows.map((row) => {
        const name = partitionName(topic.name, row.partitionIndex);
        const parts = rowParts(topic, row, grid.columns, before.get(name));
        this.#rows.set(name, parts);
        return parts.row;
      });
      return element(
        "tbody",
        { class: topic.name === selected ? "selected" : undefined },
        this.#topicHeading(topic, grid.columns, topic.name === selected),
        ...rows,
        topic.hiddenPartitions > 0 ? this.#hiddenRow(topic, grid.columns.length) : undefined,
      );
    });
    this.#table.replaceChildren(
      element("caption", { class: "hidden-visually" }, "Copies of each partition, by broker"),
      element("thead", {}, headings(grid.columns, paths)),
      ...bodies,
    );
    this.#remarks.replaceChildren(...remarks(grid));
  }

  /** The name runs on over the brokers' cells, which are there so that this tab's column is one band. */
  #topicHeading(topic: GridTopic, columns: readonly GridColumn[], selected: boolean): HTMLTableRowElement {
    const name = button(visibleText(topic.name, 60), { class: "topic", "aria-pressed": selected }, () => {
      this.dispatchEvent(new CustomEvent("topic-selected", { detail: topic.name }));
    });
    const target = element("span", { class: "muted small" }, `target of ${countOf(topic.replicationFactor, "copy", "copies")}`);
    const cells = columns.map((column) => element("td", { class: column.own ? "own" : undefined }));
    return element("tr", {}, element("th", { scope: "rowgroup" }, name, target), ...cells, element("td"));
  }

  #hiddenRow(topic: GridTopic, columns: number): HTMLTableRowElement {
    const text = `and ${countOf(topic.hiddenPartitions, "more partition", "more partitions")}`;
    return element("tr", {}, element("td", { colspan: columns + 2, class: "muted small" }, text));
  }

  #renderRow(topic: GridTopic, row: GridRow, picture: Picture): void {
    const parts = this.#rows.get(partitionName(topic.name, row.partitionIndex));
    if (parts === undefined) return;
    const figures = picture.figures.get(partitionName(topic.name, row.partitionIndex));
    const elected = parts.leaderEpoch !== undefined && row.leaderEpoch > parts.leaderEpoch;
    parts.leaderEpoch = row.leaderEpoch;
    setText(parts.epoch, `epoch ${row.leaderEpoch}`);
    setText(parts.records, figures === undefined ? "–" : count(figures.highWatermark));
    setText(parts.worry, row.worry === undefined ? "" : WORRIES[row.worry].label);
    setAttributes(parts.worry, {
      title: row.worry === undefined ? undefined : WORRIES[row.worry].meaning,
      class: row.worry === "no-leader" ? "worry bad" : "worry",
    });
    picture.grid.columns.forEach((column, index) => {
      const cell = parts.cells[index];
      const copy = row.copies[index] ?? "none";
      if (cell === undefined) return;
      setAttributes(cell.box, { "data-copy": copy, "data-leader": copy === "leader" });
      setText(cell.word, COPIES[copy]);
      const holds = column.own && copy !== "none" && figures?.logEndOffset !== undefined;
      setText(cell.offsets, holds ? `${count(figures.highWatermark)} / ${count(figures.logEndOffset ?? 0)}` : "");
      if (elected && copy === "leader") flash(cell.box);
    });
    if (elected) flash(parts.epoch);
    this.#pulseOnArrival(parts, row, figures);
  }

  /** A high watermark that moved means that every in-sync copy holds the record: leader first, followers after it. */
  #pulseOnArrival(parts: RowParts, row: GridRow, figures: LogFigures | undefined): void {
    if (figures === undefined) return;
    const arrived = parts.highWatermark !== undefined && figures.highWatermark > parts.highWatermark;
    parts.highWatermark = figures.highWatermark;
    if (!arrived) return;
    row.copies.forEach((copy, index) => {
      const box = parts.cells[index]?.box;
      if (box !== undefined && copy === "leader") pulse(box, 0);
      if (box !== undefined && copy === "in-sync") pulse(box, FOLLOWER_PULSE_DELAY_MS);
    });
  }
}

interface RowParts {
  readonly row: HTMLTableRowElement;
  readonly epoch: HTMLElement;
  readonly records: HTMLElement;
  readonly worry: HTMLElement;
  readonly cells: readonly { readonly box: HTMLElement; readonly word: HTMLElement; readonly offsets: HTMLElement }[];
  leaderEpoch: number | undefined;
  highWatermark: number | undefined;
}

const COPIES: Readonly<Record<Copy, string>> = {
  leader: "leader",
  "in-sync": "in sync",
  "catching-up": "catching up",
  offline: "offline",
  none: "",
};

const WORRIES: Readonly<Record<Worry, { readonly label: string; readonly meaning: string }>> = {
  "no-leader": { label: "no leader", meaning: "No in-sync copy is in an open tab." },
  "one-copy": { label: "one copy", meaning: "Only one copy is in sync: open another tab to gain a second." },
  "one-profile": {
    label: "one disk",
    meaning: "Every in-sync copy is in one browser profile: clearing its site data deletes them all.",
  },
};

const FOLLOWER_PULSE_DELAY_MS = 90;
const PULSE_MS = 420;
const FLASH_MS = 1400;

function shapeOf({ grid, paths, selected }: Picture): string {
  return JSON.stringify([
    grid.columns.map((column) => [column.nodeId, column.fenced, column.profile, column.own, paths.get(column.nodeId)]),
    grid.topics.map((topic) => [
      topic.name,
      topic.replicationFactor,
      topic.hiddenPartitions,
      topic.rows.map((row) => [row.partitionIndex, row.worry]),
    ]),
    grid.hiddenBrokers,
    grid.hiddenTopics,
    selected,
  ]);
}

function headings(columns: readonly GridColumn[], paths: ReadonlyMap<number, string>): HTMLTableRowElement {
  const brokers = columns.map((column) => {
    const path = column.own ? "this tab" : column.fenced ? "closed" : (paths.get(column.nodeId) ?? "");
    return element(
      "th",
      { scope: "col", class: column.own ? "broker own" : "broker", "data-fenced": column.fenced },
      element("span", { class: "broker-name" }, `Broker ${column.nodeId}`),
      element(
        "span",
        { class: "small muted", title: `Browser profile ${visibleText(column.rack, 80)}` },
        `profile ${column.profile}`,
        path === "" ? "" : " · ",
        element("span", { class: column.own ? "this-tab" : "" }, path),
      ),
    );
  });
  return element(
    "tr",
    {},
    element("td"),
    ...brokers,
    element("th", { scope: "col", class: "records", title: "The high watermark: records that every in-sync copy holds" }, "records"),
  );
}

function rowParts(topic: GridTopic, row: GridRow, columns: readonly GridColumn[], before?: RowParts): RowParts {
  const epoch = element("span", { class: "epoch small muted number", title: "Leader epoch: one higher after every election" });
  const records = element("span", { class: "number" });
  const worry = element("span", { class: "worry" });
  const cells = columns.map((column) => {
    const word = element("span", { class: "word" });
    const offsets = element("span", { class: "offsets number", title: "High watermark / log end of this tab's copy" });
    const box = element("div", { class: "cell", "data-testid": "partition-cell", "data-broker": column.nodeId }, word, offsets);
    setAttributes(box, { "data-topic": topic.name, "data-partition": row.partitionIndex });
    return { box, word, offsets, own: column.own };
  });
  const head = element("th", { scope: "row", class: "partition" }, element("span", { class: "number" }, String(row.partitionIndex)), epoch);
  return {
    row: element(
      "tr",
      {},
      head,
      ...cells.map((cell) => element("td", { class: cell.own ? "own" : undefined }, cell.box)),
      element("td", { class: "records" }, records, worry),
    ),
    epoch,
    records,
    worry,
    cells,
    leaderEpoch: before?.leaderEpoch,
    highWatermark: before?.highWatermark,
  };
}

function remarks(grid: ReplicaGrid): readonly HTMLElement[] {
  const rows = grid.topics.flatMap((topic) => topic.rows);
  const said: HTMLElement[] = [];
  const say = (text: string, level: string) => said.push(element("p", { class: `small ${level}` }, text));
  if (grid.topics.length === 0) say("No topic yet. Replay the earthquakes, or create one.", "muted");
  if (rows.some((row) => row.worry === "one-profile")) {
    say(
      "One browser profile, one disk: every copy of some partitions would go with one “clear site data”. " +
        "Open this page in another browser or profile too, and the copies spread.",
      "caution",
    );
  }
  if (grid.hiddenTopics > 0) say(`${countOf(grid.hiddenTopics, "more topic is", "more topics are")} in the list below.`, "muted");
  if (grid.hiddenBrokers > 0) say(`${countOf(grid.hiddenBrokers, "closed broker holds", "closed brokers hold")} none of these.`, "muted");
  return said;
}

function legend(): HTMLElement {
  const entry = (copy: Copy, meaning: string) =>
    element("span", { class: "entry" }, element("span", { class: "cell swatch", "data-copy": copy, "aria-hidden": "true" }), meaning);
  return element(
    "div",
    { class: "legend small muted" },
    entry("leader", "leader"),
    entry("in-sync", "in-sync follower"),
    entry("catching-up", "catching up"),
    entry("offline", "offline copy"),
  );
}

function pulse(box: HTMLElement, delay: number): void {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  if (box.getAnimations().some((animation) => animation.id === "pulse")) return;
  box.animate([{ boxShadow: "0 0 0 0 var(--pulse)" }, { boxShadow: "0 0 0 7px transparent" }], {
    id: "pulse",
    delay,
    duration: PULSE_MS,
    easing: "ease-out",
  });
}

function flash(target: HTMLElement): void {
  target.animate([{ backgroundColor: "var(--flash)", color: "var(--ink)" }, {}], { id: "flash", duration: FLASH_MS, easing: "ease-in" });
}

const pictureLook = styleSheet(`
  .scroll { overflow-x: auto; padding: 2px 8px 6px; margin: 0 -8px; }
  .scroll:focus-visible { outline-offset: -2px; }
  .hidden-visually { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table { border-collapse: separate; border-spacing: 0; }
  thead th { padding: 4px 4px 8px; text-align: center; vertical-align: bottom; min-width: 96px; }
  thead th > span { display: block; white-space: nowrap; }
  .broker-name { color: var(--ink); font-size: 14px; font-weight: 500; }
  [data-fenced] .broker-name { color: var(--muted); text-decoration: line-through; }
  .this-tab { color: var(--accent); font-weight: 600; }
  th.own, td.own { background: var(--own); }
  th.own { border-radius: 10px 10px 0 0; }
  tbody th[scope="rowgroup"] { padding: 12px 0 4px; position: relative; z-index: 1; max-width: 0; white-space: nowrap; }
  tbody:last-of-type tr:last-of-type td.own { border-radius: 0 0 10px 10px; }
  tbody th[scope="rowgroup"] .muted { font-weight: 400; margin-left: 6px; }
  .topic {
    border: 0; background: none; padding: 1px 2px; margin-left: -2px; color: var(--ink); font-weight: 600;
    max-width: 36ch; overflow: hidden; text-overflow: ellipsis; vertical-align: bottom;
  }
  .topic[aria-pressed="true"] { background: none; text-decoration: underline 2px var(--accent); text-underline-offset: 5px; }
  tbody td, .partition { padding: 3px 4px; }
  .partition { white-space: nowrap; width: 1%; color: var(--ink); font-size: 14px; padding-right: 14px; }
  .epoch { margin-left: 8px; border-radius: 4px; padding: 0 3px; font-weight: 400; }
  .records { text-align: right !important; white-space: nowrap; width: 1%; padding-left: 14px; min-width: 0 !important; }
  .worry { display: block; font-size: 11.5px; line-height: 1.2; color: var(--warn); }
  .worry.bad { color: var(--bad); font-weight: 600; }
  .worry:empty { display: none; }

  .cell {
    height: 38px; border-radius: 7px; display: flex; flex-direction: column; align-items: center; justify-content: center;
    border: 1.5px solid transparent; font-size: 12.5px; line-height: 1.2; text-align: center;
  }
  .cell[data-copy="leader"] { background: var(--accent); color: var(--on-accent); font-weight: 600; }
  .cell[data-copy="in-sync"] { background: var(--accent-soft); }
  .cell[data-copy="catching-up"] {
    border: 1.5px dashed var(--accent); color: var(--muted);
    background: repeating-linear-gradient(135deg, transparent 0 5px, var(--accent-soft) 5px 7px);
  }
  .cell[data-copy="offline"] {
    border-color: var(--line); color: var(--muted);
    background:
      linear-gradient(to top right, transparent calc(50% - 0.7px), var(--cross) 50%, transparent calc(50% + 0.7px)),
      linear-gradient(to bottom right, transparent calc(50% - 0.7px), var(--cross) 50%, transparent calc(50% + 0.7px));
  }
  .cell[data-copy="offline"] .word { background: var(--card); padding: 0 4px; border-radius: 4px; }
  .cell[data-copy="none"]::before { content: ""; width: 4px; height: 4px; border-radius: 50%; background: var(--line); }
  .offsets { font-size: 11.5px; font-weight: 400; opacity: 0.9; }
  .offsets:empty { display: none; }

  .remarks { display: grid; gap: 4px; }
  .remarks:not(:empty) { margin: 8px 0 2px; }
  .caution { color: var(--warn); max-width: 70ch; }
  .legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin-top: 12px; }
  .entry { display: inline-flex; align-items: center; gap: 7px; }
  .swatch { width: 20px; height: 14px; border-radius: 4px; display: inline-block; }
`);
