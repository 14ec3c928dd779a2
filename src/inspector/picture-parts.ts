import { element, setAttributes } from "./element.ts";
import { countOf } from "./figures.ts";
import type { Copy, GridColumn, GridRow, GridTopic, ReplicaGrid, Worry } from "./replica-grid.ts";
import { visibleText } from "./visible-text.ts";

/** What the cluster picture is put together from; `cluster-picture.ts` keeps it up to date. */
export interface RowParts {
  readonly row: HTMLTableRowElement;
  readonly epoch: HTMLElement;
  readonly records: HTMLElement;
  readonly worry: HTMLElement;
  readonly cells: readonly { readonly box: HTMLElement; readonly word: HTMLElement; readonly offsets: HTMLElement }[];
  leaderEpoch: number | undefined;
  highWatermark: number | undefined;
}

export const COPIES: Readonly<Record<Copy, string>> = {
  leader: "leader",
  "in-sync": "in sync",
  "catching-up": "catching up",
  offline: "offline",
  none: "",
};

export const WORRIES: Readonly<Record<Worry, { readonly label: string; readonly meaning: string }>> = {
  "no-leader": { label: "no leader", meaning: "No in-sync copy is in an open tab." },
  "one-copy": { label: "one copy", meaning: "Only one copy is in sync: open another tab to gain a second." },
  "one-profile": {
    label: "one disk",
    meaning: "Every in-sync copy is in one browser profile: clearing its site data deletes them all.",
  },
};

export function headings(columns: readonly GridColumn[], paths: ReadonlyMap<number, string>): HTMLTableRowElement {
  const brokers = columns.map((column) => {
    const path = column.own ? "this tab" : column.fenced ? "closed" : (paths.get(column.nodeId) ?? "");
    return element(
      "th",
      { scope: "col", class: column.own ? "broker own" : "broker", "data-fenced": column.fenced },
      element("span", { class: "broker-name" }, `Broker ${column.nodeId}`),
      element("span", { title: `Browser profile ${visibleText(column.rack, 80)}` }, `profile ${column.profile}`),
      element("span", { class: column.own ? "this-tab" : undefined }, path === "" ? "no link" : path),
    );
  });
  return element(
    "tr",
    {},
    element("td"),
    ...brokers,
    element(
      "th",
      { scope: "col", class: "records", title: "The high watermark: records that every in-sync copy holds" },
      "records",
    ),
  );
}

export function rowParts(topic: GridTopic, row: GridRow, columns: readonly GridColumn[], before?: RowParts): RowParts {
  const epoch = element("span", {
    class: "epoch small muted number",
    title: "Leader epoch: one higher after every election",
  });
  const records = element("span", { class: "number" });
  const worry = element("span", { class: "worry" });
  const cells = columns.map((column) => {
    const word = element("span", { class: "word" });
    const offsets = element("span", { class: "offsets number", title: "High watermark / log end of this tab's copy" });
    const box = element(
      "div",
      { class: "cell", "data-testid": "partition-cell", "data-broker": column.nodeId },
      word,
      offsets,
    );
    setAttributes(box, { "data-topic": topic.name, "data-partition": row.partitionIndex });
    return { box, word, offsets, own: column.own };
  });
  const head = element(
    "th",
    { scope: "row", class: "partition" },
    element("span", { class: "number" }, String(row.partitionIndex)),
    epoch,
  );
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

export function remarks(grid: ReplicaGrid): readonly HTMLElement[] {
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
  if (grid.hiddenTopics > 0)
    say(`${countOf(grid.hiddenTopics, "more topic is", "more topics are")} in the list below.`, "muted");
  if (grid.hiddenBrokers > 0)
    say(`${countOf(grid.hiddenBrokers, "closed broker holds", "closed brokers hold")} none of these.`, "muted");
  return said;
}

export function legend(): HTMLElement {
  const entry = (copy: Copy, meaning: string) =>
    element(
      "span",
      { class: "entry" },
      element("span", { class: "cell swatch", "data-copy": copy, "aria-hidden": "true" }),
      meaning,
    );
  return element(
    "div",
    { class: "legend small muted" },
    entry("leader", "leader"),
    entry("in-sync", "in-sync follower"),
    entry("catching-up", "catching up"),
    entry("offline", "offline copy"),
  );
}
