import { setAttributes, setText } from "../../inspector/element.ts";
import { epochClass } from "./epoch-class.ts";
import { CLIENT, SERVER_SIZE, TAB } from "./scene-layout.ts";
import { shortName } from "./short-name.ts";
import { svg } from "./svg.ts";
import type { CopyRole, CopyView } from "./tab-view.ts";

/** What the scene is put together from. Every node is drawn around its own origin. */
export interface TabPart {
  readonly part: SVGGElement;
  readonly broker: SVGTextElement;
  readonly state: SVGTextElement;
  showCopies(copies: readonly CopyView[]): void;
}

const LEFT = -TAB.width / 2;
const TOP = -TAB.height / 2;
const PIP = 13;
/** More partitions than these are told by the strips alone. */
const MOST_PIPS = 6;

export function tabPart(name: string): TabPart {
  const broker = svg("text", { x: -LEFT - 9, y: TOP + 17, class: "broker" });
  const state = svg("text", { x: LEFT + 21, y: TOP + 32, class: "state" });
  const copies = svg("g", { transform: `translate(${LEFT + 9} ${TOP + 38})` });
  const box = { x: LEFT, y: TOP, width: TAB.width, height: TAB.height, rx: 9 };
  const [across, down] = [TAB.width - 10, TAB.height - 10];
  const part = svg(
    "g",
    { class: "tab", "data-testid": name },
    svg("rect", { ...box, class: "ring" }),
    svg("rect", { ...box, class: "card" }),
    svg("rect", { ...box, class: "hatched", fill: "url(#hatch)" }),
    svg("path", { d: `M${LEFT + 5} ${TOP + 5} l${across} ${down} m0 ${-down} l${-across} ${down}`, class: "cross" }),
    svg("text", { x: LEFT + 9, y: TOP + 17, class: "name" }, name),
    broker,
    svg("circle", { cx: LEFT + 13, cy: TOP + 28, r: 3.6, class: "lamp" }),
    svg("path", { d: snowflake(LEFT + 13, TOP + 28, 5.2), class: "snowflake" }),
    state,
    copies,
  );
  let pips: Pip[] = [];
  return {
    part,
    broker,
    state,
    showCopies(views) {
      const shown = views.slice(0, MOST_PIPS);
      if (pips.length !== shown.length) {
        pips = shown.map((_, index) => pipPart(index));
        copies.replaceChildren(...pips.map((pip) => pip.part));
      }
      shown.forEach(({ role, leaderEpoch }, index) => {
        const pip = pips[index]!;
        setAttributes(pip.part, { class: `pip ${role} ${epochClass(leaderEpoch)}` });
        setText(pip.title, `partition ${index}: ${PIP_WORDS[role]}`);
      });
    },
  };
}

interface Pip {
  readonly part: SVGGElement;
  readonly title: SVGTitleElement;
}

const PIP_WORDS: Readonly<Record<CopyRole, string>> = {
  leader: "leader",
  "in-sync": "in sync",
  behind: "not in sync",
  stale: "leads in an epoch that is over",
  none: "no copy",
};

function pipPart(index: number): Pip {
  const title = svg("title");
  const x = index * (PIP + 3);
  const part = svg(
    "g",
    {},
    title,
    svg("rect", { x, y: 0, width: PIP, height: PIP, rx: 3.5 }),
    svg("text", { x: x + PIP / 2, y: PIP - 3.2 }, String(index)),
  );
  return { part, title };
}

export function serverPart(): { readonly part: SVGGElement; readonly state: SVGTextElement } {
  const { width, height } = SERVER_SIZE;
  const state = svg("text", { x: 9, y: 16, class: "state" });
  const box = { x: -width / 2, y: -height / 2, width, height, rx: 26 };
  const part = svg(
    "g",
    { class: "server", "data-testid": "server" },
    svg("rect", { ...box, class: "ring" }),
    svg("rect", { ...box, class: "card" }),
    svg("text", { x: 0, y: -3, class: "name" }, "server"),
    svg("circle", { cx: -25, cy: 12, r: 3.6, class: "lamp" }),
    state,
  );
  return { part, state };
}

export function clientPart(name: string): SVGGElement {
  const { width, height } = CLIENT;
  return svg(
    "g",
    { class: "client" },
    svg("rect", { x: -width / 2, y: -height / 2, width, height, rx: 12, class: "card" }),
    svg("text", { x: 0, y: 4 }, shortName(name)),
    svg("title", {}, name),
  );
}

/** An arrow that ends at a bar: nothing gets through in its direction. */
export function oneWayMark(): SVGGElement {
  return svg("g", { class: "cut-mark" }, svg("path", { d: "M-12 -4.5 L-4.5 0 L-12 4.5 Z M0 -8 V8" }));
}

/** Nothing gets through at all. */
export function bothWaysMark(): SVGGElement {
  const cross = svg("path", { d: "M-4 -4 L4 4 M-4 4 L4 -4" });
  return svg("g", { class: "cut-mark" }, svg("circle", { r: 8 }), cross);
}

export function hatch(): SVGPatternElement {
  return svg(
    "pattern",
    { id: "hatch", width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    svg("line", { x1: 0, y1: 0, x2: 0, y2: 7, class: "hatch-line" }),
  );
}

function snowflake(x: number, y: number, radius: number): string {
  return [0, 60, 120]
    .map((degrees) => {
      const angle = (degrees * Math.PI) / 180;
      const [dx, dy] = [radius * Math.cos(angle), radius * Math.sin(angle)];
      return `M${(x - dx).toFixed(1)} ${(y - dy).toFixed(1)} L${(x + dx).toFixed(1)} ${(y + dy).toFixed(1)}`;
    })
    .join(" ");
}
