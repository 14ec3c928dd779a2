import type { BrokerStatus } from "../index.ts";
import { element, openShadow, setText, styleSheet } from "./element.ts";
import { count, countOf } from "./figures.ts";
import { look } from "./look.ts";
import { visibleText } from "./visible-text.ts";

const PARTITIONS_LISTED = 60;
const COLUMNS = ["Partition", "Role", "Epoch", "First offset", "High watermark", "Log end"] as const;

/** The copies on this tab's disk, in numbers. */
export class PartitionTable extends HTMLElement {
  readonly #body = element("tbody");
  readonly #more = element("p", { class: "muted small" });

  constructor() {
    super();
    const heading = element("tr", {}, ...COLUMNS.map((name) => element("th", { scope: "col" }, name)));
    openShadow(this, tableLook, look).append(
      element("h2", {}, "Copies in this tab"),
      element(
        "div",
        { class: "scroll", tabindex: 0, role: "region", "aria-label": "Copies in this tab" },
        element("table", {}, element("thead", {}, heading), this.#body),
      ),
      this.#more,
    );
  }

  show(status: BrokerStatus): void {
    const { partitions } = status;
    const listed = [...partitions]
      .sort((a, b) => (a.topic === b.topic ? a.partitionIndex - b.partitionIndex : a.topic < b.topic ? -1 : 1))
      .slice(0, PARTITIONS_LISTED);
    while (this.#body.rows.length < listed.length)
      this.#body.append(element("tr", {}, ...COLUMNS.map(() => element("td"))));
    while (this.#body.rows.length > listed.length) this.#body.deleteRow(-1);
    listed.forEach((partition, index) => {
      const figures = [
        `${visibleText(partition.topic, 60)}-${partition.partitionIndex}`,
        partition.role,
        count(partition.leaderEpoch),
        count(partition.logStartOffset),
        count(partition.highWatermark),
        count(partition.logEndOffset),
      ];
      figures.forEach((text, column) => {
        const cell = this.#body.rows[index]?.cells[column];
        if (cell !== undefined) setText(cell, text);
      });
    });
    const more = partitions.length - listed.length;
    setText(
      this.#more,
      partitions.length === 0
        ? "None yet: copies come here when a topic is created, or when another tab closes."
        : more > 0
          ? `and ${countOf(more, "more copy", "more copies")}`
          : "",
    );
  }
}

const tableLook = styleSheet(`
  .scroll { overflow-x: auto; max-height: 260px; overflow-y: auto; margin-top: 8px; }
  td, th { padding: 3px 12px 3px 0; white-space: nowrap; }
  td { border-top: 1px solid var(--line); font-variant-numeric: tabular-nums; }
  td:nth-child(n + 3), th:nth-child(n + 3) { text-align: right; padding-right: 0; padding-left: 12px; }
  td:first-child { max-width: 260px; overflow: hidden; text-overflow: ellipsis; }
`);
