import type { SimulatedCluster } from "../../../tests/simulation/simulated-cluster.ts";
import { openShadow, setAttributes, setText } from "../../inspector/element.ts";
import { countOf, listOf } from "../../inspector/figures.ts";
import { look } from "../../inspector/look.ts";
import { epochLook } from "./epoch-class.ts";
import { FrameDots } from "./frame-dots.ts";
import type { Pace } from "./frame-dots.ts";
import { linkViews } from "./link-view.ts";
import type { LinkView } from "./link-view.ts";
import { profileGround } from "./profile-ground.ts";
import { groupByProfile, layOut } from "./scene-layout.ts";
import type { SceneLayout } from "./scene-layout.ts";
import { SceneLinks, wayBetween } from "./scene-links.ts";
import { sceneLook } from "./scene-look.ts";
import { clientPart, hatch, serverPart, tabPart } from "./scene-parts.ts";
import type { TabPart } from "./scene-parts.ts";
import { Pool, svg } from "./svg.ts";
import { STATE_WORDS, tabViews } from "./tab-view.ts";
import type { TabView } from "./tab-view.ts";
import type { WatchedRun } from "./watched-run.ts";

/** What stands still is drawn so often; frames move in between. */
const REDRAWN_EVERY_MS = 90;

/** Tabs by profile around the server, clients beside them, and all that is between them. */
export class ClusterScene extends HTMLElement {
  readonly #svg = svg("svg", { role: "img" });
  readonly #grounds = svg("g");
  readonly #links = new SceneLinks();
  readonly #frames = svg("g");
  readonly #nodes = svg("g");
  readonly #server = serverPart();
  readonly #groundPool = new Pool(this.#grounds, () => svg("g"));
  readonly #clientPool = new Pool(this.#nodes, (name) => clientPart(name));
  readonly #tabPool = new Pool(this.#nodes, (name) => this.#makeTab(name));
  readonly #tabParts = new Map<string, TabPart>();
  readonly #dots = new FrameDots(this.#frames);
  readonly #resized = new ResizeObserver(() => this.#draw());
  #layout: SceneLayout = layOut({ width: 600, height: 400 }, [], []);
  /** What the layout was made for. */
  #shape = "";
  #drawnMs = -Infinity;
  #run: WatchedRun | undefined;
  /** Those that have shown up in this run. */
  readonly #clients = new Set<string>();

  constructor() {
    super();
    const { lines, marks } = this.#links;
    this.#svg.append(svg("defs", {}, hatch()), this.#grounds, lines, marks, this.#frames, this.#nodes);
    this.#nodes.append(this.#server.part);
    openShadow(this, sceneLook, look).append(this.#svg);
    this.shadowRoot!.adoptedStyleSheets.push(epochLook);
  }

  connectedCallback(): void {
    this.#resized.observe(this);
  }

  disconnectedCallback(): void {
    this.#resized.disconnect();
  }

  show(run: WatchedRun, pace: Pace): void {
    if (this.#run !== run) {
      this.#run = run;
      this.#clients.clear();
      this.#drawnMs = -Infinity;
    }
    const isStill = pace.speed === undefined;
    if (isStill || pace.nowMs - this.#drawnMs >= REDRAWN_EVERY_MS) {
      this.#drawnMs = pace.nowMs;
      this.#draw();
    }
    setAttributes(this.#svg, { "data-still": isStill });
    this.#dots.show(run.traffic, pace, (from, to) => wayBetween(this.#layout, from, to));
  }

  #draw(): void {
    if (this.#run === undefined) return;
    const { cluster } = this.#run;
    const tabs = tabViews(cluster);
    const links = linkViews(cluster, (name) => this.#clients.add(name));
    const active = /^tab-\d+/.exec(cluster.trace.lastEvent)?.[0] ?? "server";
    this.#place(tabs);
    this.#drawTabs(tabs, active);
    const server = serverState(cluster);
    setAttributes(this.#server.part, { "data-state": server, "data-active": active === "server" });
    setText(this.#server.state, server);
    this.#links.show(links, this.#layout);
    setAttributes(this.#svg, { "aria-label": summary(tabs, server, links) });
  }

  /** Only when there are other nodes than before, or another size. */
  #place(tabs: readonly TabView[]): void {
    const width = Math.round(this.clientWidth);
    const height = Math.round(this.clientHeight);
    const shape = [width, height, ...tabs.map(({ name, profile }) => name + profile), ...this.#clients].join();
    if (width === 0 || shape === this.#shape) return;
    this.#shape = shape;
    this.#layout = layOut({ width, height }, tabs, [...this.#clients].sort());
    setAttributes(this.#svg, { viewBox: `0 0 ${width} ${height}`, width, height });
    this.#move(this.#server.part, "server", 1);
    const { scale, clientScale } = this.#layout;
    for (const [name, part] of this.#clientPool.show(this.#clients)) this.#move(part, name, clientScale);
    const names = tabs.map(({ name }) => name);
    for (const [name, part] of this.#tabPool.show(names)) this.#move(part, name, scale);
    const profiles = new Map(groupByProfile(tabs));
    for (const [profile, ground] of this.#groundPool.show(profiles.keys())) {
      const members = profiles.get(profile)!.map(({ name }) => name);
      ground.replaceChildren(...profileGround(members, profile, this.#layout));
    }
  }

  #move(part: Element, name: string, scale: number): void {
    const { x, y } = this.#layout.places.get(name)!;
    setAttributes(part, { transform: `translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${scale.toFixed(3)})` });
  }

  #makeTab(name: string): SVGGElement {
    const made = tabPart(name);
    this.#tabParts.set(name, made);
    return made.part;
  }

  #drawTabs(tabs: readonly TabView[], active: string): void {
    for (const tab of tabs) {
      const parts = this.#tabParts.get(tab.name);
      if (parts === undefined) continue;
      setAttributes(parts.part, { "data-state": tab.state, "data-active": tab.name === active });
      setText(parts.broker, tab.brokerId < 0 ? "" : `id ${tab.brokerId}`);
      setText(parts.state, STATE_WORDS[tab.state]);
      parts.showCopies(tab.copies);
    }
  }
}

function serverState({ server }: SimulatedCluster): "running" | "paused" | "dead" {
  if (!server.running) return "dead";
  return server.paused ? "paused" : "running";
}

function summary(tabs: readonly TabView[], server: string, links: readonly LinkView[]): string {
  const states = new Map<string, number>();
  for (const { state } of tabs) states.set(STATE_WORDS[state], (states.get(STATE_WORDS[state]) ?? 0) + 1);
  const counts = [...states].map(([state, count]) => `${count} ${state}`);
  const cuts = links.filter(({ cutWays }) => cutWays.length > 0).length;
  const cut = cuts === 0 ? "" : `; ${countOf(cuts, "link is", "links are")} cut`;
  return `${countOf(tabs.length, "tab", "tabs")}: ${listOf(counts)}; the server is ${server}${cut}`;
}
