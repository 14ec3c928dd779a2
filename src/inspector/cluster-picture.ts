import { ArrivalRings, flash } from "./cell-motion.ts";
import { button, element, openShadow, setAttributes, setText } from "./element.ts";
import { count, countOf } from "./figures.ts";
import { look } from "./look.ts";
import { partitionName } from "./partition-name.ts";
import { pictureLook } from "./picture-look.ts";
import { COPIES, headings, legend, remarks, rowParts, WORRIES } from "./picture-parts.ts";
import type { RowParts } from "./picture-parts.ts";
import type { GridColumn, GridRow, GridTopic, ReplicaGrid } from "./replica-grid.ts";
import { visibleText } from "./visible-text.ts";

/** What is known about one partition's log. */
export interface LogFigures {
  /** The highest that this page has heard of, from a leader or from its own copy. */
  readonly highWatermark: number;
  /** This tab's copy, if it has one. */
  readonly own: { readonly highWatermark: number; readonly logEndOffset: number } | undefined;
}

export interface Picture {
  readonly grid: ReplicaGrid;
  readonly selected: string | undefined;
  /** How this tab reaches a broker, in a word; absent while no link is open. */
  readonly paths: ReadonlyMap<number, string>;
  /** By `partitionName`. */
  readonly figures: ReadonlyMap<string, LogFigures>;
}

const EXPLANATION = "A column is a tab, a row a partition: a log of records. A box is a copy.";
/** Columns have fixed widths, so that a number that changes moves nothing else. */
const BROKER_PIXELS = 72;
const OTHERS_PIXELS = 110;

/** The one picture: brokers are columns, partitions are rows, the leader is solid. Fires `topic-selected`. */
export class ClusterPicture extends HTMLElement {
  readonly #table = element("table");
  readonly #remarks = element("div", { class: "remarks" });
  readonly #rings = new ArrivalRings();
  #rows = new Map<string, RowParts>();
  #shape = "";

  constructor() {
    super();
    openShadow(this, pictureLook, look).append(
      element(
        "div",
        { class: "row" },
        element("h2", {}, "The cluster"),
        element("p", { class: "small muted" }, EXPLANATION),
      ),
      element(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": "Brokers and partitions" },
        this.#table,
      ),
      this.#remarks,
      legend(),
    );
  }

  show(picture: Picture): void {
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
    const width = `${OTHERS_PIXELS + grid.columns.length * BROKER_PIXELS}px`;
    this.#table.style.setProperty("min-width", width);
    this.#table.replaceChildren(
      element("caption", { class: "hidden-visually" }, "Copies of each partition, by broker"),
      element("col", { class: "partitions" }),
      ...grid.columns.map(() => element("col")),
      element("col", { class: "totals" }),
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
    const target = element(
      "span",
      { class: "muted small" },
      `target of ${countOf(topic.replicationFactor, "copy", "copies")}`,
    );
    const cells = columns.map((column) => element("td", { class: column.own ? "own" : undefined }));
    return element(
      "tr",
      {},
      element("th", { scope: "rowgroup" }, name, target),
      ...cells,
      element("td", { class: "records" }),
    );
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
      const own = column.own && copy !== "none" && copy !== "offline" ? figures?.own : undefined;
      setText(cell.offsets, own === undefined ? "" : `${count(own.highWatermark)} / ${count(own.logEndOffset)}`);
      if (elected && copy === "leader") flash(cell.box);
    });
    if (elected) flash(parts.epoch);
    this.#ringOnArrival(parts, row, figures);
  }

  /** A high watermark that moved means that every in-sync copy holds the record: leader first, followers after it. */
  #ringOnArrival(parts: RowParts, row: GridRow, figures: LogFigures | undefined): void {
    if (figures === undefined) return;
    const arrived = parts.highWatermark !== undefined && figures.highWatermark > parts.highWatermark;
    parts.highWatermark = figures.highWatermark;
    if (!arrived) return;
    row.copies.forEach((copy, index) => {
      const box = parts.cells[index]?.box;
      if (box !== undefined && copy === "leader") this.#rings.add(box, 0);
      if (box !== undefined && copy === "in-sync") this.#rings.add(box, 1);
    });
  }
}

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
