import { element, openShadow, setText } from "../../inspector/element.ts";
import { count } from "../../inspector/figures.ts";
import { look } from "../../inspector/look.ts";
import { epochClass, epochLook } from "./epoch-class.ts";
import { offsetWindow } from "./offset-window.ts";
import type { OffsetWindow } from "./offset-window.ts";
import { partitionViews } from "./partition-view.ts";
import type { PartitionView, ReplicaView } from "./partition-view.ts";
import { stripsLook } from "./strips-look.ts";
import { svg } from "./svg.ts";
import type { CopyRole } from "./tab-view.ts";
import type { WatchedRun } from "./watched-run.ts";

const REDRAWN_EVERY_MS = 100;
/** Pixels. */
const ROW = 16;
const BAR = 9;
const LABEL = 64;
const NUMBER = 52;
const TOP = 4;

const ROLE_WORDS: Readonly<Record<CopyRole, string>> = {
  leader: "leads",
  "in-sync": "is in sync",
  behind: "is not in sync",
  stale: "still leads in an epoch that is over",
  none: "holds no copy",
};

const ROLE_MARKS: Readonly<Record<CopyRole, string>> = {
  leader: "M5 -5 L10 0 L5 5 L0 0 Z",
  stale: "M5 -5 L10 0 L5 5 L0 0 Z",
  "in-sync": "M5 -3 A3 3 0 1 1 4.99 -3 Z",
  behind: "M5 -3 A3 3 0 1 1 4.99 -3 Z",
  none: "",
};

interface Strip {
  readonly part: HTMLElement;
  readonly epoch: HTMLElement;
  readonly leader: HTMLElement;
  readonly inSync: HTMLElement;
  readonly committed: HTMLElement;
  readonly drawing: SVGSVGElement;
}

/** The tail of every copy of every partition: who wrote it, how far it is committed, and who leads. */
export class PartitionStrips extends HTMLElement {
  readonly #list = element("div", { class: "strips" });
  readonly #resized = new ResizeObserver(() => this.#redraw());
  #strips: Strip[] = [];
  #views: readonly PartitionView[] = [];
  #drawnMs = -Infinity;

  constructor() {
    super();
    const empty = element("p", { class: "muted small empty" }, "The topic is made once enough tabs are registered.");
    openShadow(this, stripsLook, look).append(this.#list, empty);
    this.shadowRoot!.adoptedStyleSheets.push(epochLook);
  }

  connectedCallback(): void {
    this.#resized.observe(this.#list);
  }

  disconnectedCallback(): void {
    this.#resized.disconnect();
  }

  /** `nowMs` is undefined where every change has to be seen. */
  show(run: WatchedRun, nowMs: number | undefined): void {
    if (nowMs !== undefined && nowMs - this.#drawnMs < REDRAWN_EVERY_MS) return;
    this.#drawnMs = nowMs ?? -Infinity;
    this.#views = partitionViews(run.cluster);
    this.#redraw();
  }

  #redraw(): void {
    if (this.#strips.length !== this.#views.length) {
      this.#strips = this.#views.map(({ index }) => makeStrip(index));
      this.#list.replaceChildren(...this.#strips.map(({ part }) => part));
    }
    const width = this.#list.clientWidth;
    if (width > LABEL + NUMBER) this.#views.forEach((view, index) => drawStrip(this.#strips[index]!, view, width));
  }
}

function makeStrip(index: number): Strip {
  const epoch = element("span", { class: "epoch" });
  const leader = element("span", { class: "leader" });
  const inSync = element("span", { class: "in-sync muted small number" });
  const committed = element("span", { class: "committed small number" });
  const drawing = svg("svg", { role: "img" });
  const name = element("b", {}, `Partition ${index}`);
  const head = element("p", { class: "head" }, name, epoch, leader, inSync, committed);
  const part = element("section", { class: "strip" }, head, drawing);
  return { part, epoch, leader, inSync, committed, drawing };
}

function drawStrip(strip: Strip, view: PartitionView, width: number): void {
  setText(strip.epoch, `epoch ${view.leaderEpoch}`);
  strip.epoch.className = `epoch ${epochClass(view.leaderEpoch)}`;
  const leader = view.replicas.find(({ role }) => role === "leader");
  const isAway = leader?.isAlive === false ? ", which is gone" : "";
  setText(strip.leader, leader === undefined ? "no leader" : `led by ${leader.tab}${isAway}`);
  strip.leader.classList.toggle("none", leader?.isAlive !== true);
  setText(strip.inSync, `${view.inSync} in sync`);
  setText(strip.committed, `committed ${count(view.committed)}`);
  const height = TOP + view.replicas.length * ROW + 3;
  const shown = offsetWindow(view);
  const perOffset = (width - LABEL - NUMBER) / (shown.to - shown.from);
  const x = (offset: number) => LABEL + (offset - shown.from) * perOffset;
  strip.drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
  strip.drawing.setAttribute("width", String(width));
  strip.drawing.setAttribute("height", String(height));
  strip.drawing.setAttribute("aria-label", describe(view));
  strip.drawing.replaceChildren(
    ...view.replicas.map((replica, row) => drawReplica(replica, TOP + row * ROW + ROW / 2, shown, x)),
    drawCommitted(x(Math.max(view.committed, shown.from)), height),
  );
}

function drawReplica(
  replica: ReplicaView,
  middle: number,
  shown: OffsetWindow,
  x: (offset: number) => number,
): SVGElement {
  const { tab, role, isAlive, highWatermark, logEndOffset, nextOffset, epochs } = replica;
  const left = x(shown.from);
  const track = { x: left, y: middle - BAR / 2, width: x(shown.to) - left, height: BAR, rx: 2 };
  const bars = epochs.flatMap(({ epoch, from, to }) => {
    const stored = Math.min(to, logEndOffset);
    const bar = (begin: number, end: number, kind: string) => {
      const [low, high] = [Math.max(begin, shown.from), Math.min(end, shown.to)];
      if (low >= high) return [];
      const name = `bar ${kind} ${epochClass(epoch)}`;
      return [svg("rect", { x: x(low), y: middle - BAR / 2, width: x(high) - x(low), height: BAR, class: name })];
    };
    return [...bar(from, stored, "stored"), ...bar(Math.max(from, stored), to, "writing")];
  });
  const isBefore = logEndOffset <= shown.from && shown.from > 0;
  const watermark = `M${x(Math.max(highWatermark, shown.from))} ${middle + BAR / 2 - 1} l-3.5 5 h7 Z`;
  const end = nextOffset > logEndOffset ? `${count(logEndOffset)} …` : count(logEndOffset);
  return svg(
    "g",
    { class: `replica ${role}`, "data-alive": isAlive },
    svg("title", {}, `${tab} ${ROLE_WORDS[role]}; log end ${logEndOffset}, high watermark ${highWatermark}`),
    svg("path", { d: ROLE_MARKS[role], transform: `translate(0 ${middle})`, class: "mark" }),
    svg("text", { x: 15, y: middle + 4, class: "tab" }, tab),
    svg("rect", { ...track, class: "track" }),
    ...bars,
    isBefore ? svg("path", { d: `M${left + 9} ${middle - 4} l-6 4 l6 4`, class: "before" }) : undefined,
    // What a disk says of the high watermark is a hint, long out of date.
    isAlive ? svg("path", { d: watermark, class: "high-watermark" }) : undefined,
    svg("text", { x: x(shown.to) + 6, y: middle + 4, class: "end" }, end),
  );
}

function drawCommitted(x: number, height: number): SVGElement {
  return svg("path", { d: `M${x.toFixed(1)} 0 V${height}`, class: "committed" });
}

function describe({ index, leader, leaderEpoch, committed, replicas }: PartitionView): string {
  const led = leader === undefined ? "has no leader" : `is led by ${leader}`;
  const copies = replicas.map(({ tab, role, logEndOffset }) => `${tab} ${ROLE_WORDS[role]} at ${logEndOffset}`);
  return `Partition ${index} ${led} in epoch ${leaderEpoch}, committed to ${committed}: ${copies.join("; ")}`;
}
