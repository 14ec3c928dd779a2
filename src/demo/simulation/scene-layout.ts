import type { TabView } from "./tab-view.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A quadratic curve between the edges of two nodes. */
export interface Curve {
  readonly from: Point;
  readonly bend: Point;
  readonly to: Point;
}

export interface SceneLayout {
  readonly places: ReadonlyMap<string, Point>;
  readonly sizes: ReadonlyMap<string, Size>;
  readonly centre: Point;
  /** Of the tabs, and of the clients: many of them are drawn smaller. */
  readonly scale: number;
  readonly clientScale: number;
}

export const TAB: Size = { width: 112, height: 56 };
export const SERVER_SIZE: Size = { width: 88, height: 52 };
export const CLIENT: Size = { width: 86, height: 24 };
/** A gap between two profiles counts for so many places on the ring; between tabs of one profile it is 1. */
const PROFILE_GAP = 1.2;
const EDGE = 14;
/** Lines that would pass the centre closer than this go around the server. */
const CLEARANCE = 64;
const NARROW = 620;
/** Pixels of the ring that a tab of full size takes, on the average of its sides. */
const ROOM_FOR_TAB = 165;
const LEAST_SCALE = 0.62;

/** The server in the middle, the tabs around it by profile, producers on one side and consumers on the other. */
export function layOut(
  size: Size,
  tabs: readonly Pick<TabView, "name" | "profile">[],
  clients: readonly string[],
): SceneLayout {
  const places = new Map<string, Point>();
  const sizes = new Map<string, Size>();
  const isNarrow = size.width < NARROW;
  const room = clients.length === 0 ? 0 : isNarrow ? CLIENT.height + 22 : CLIENT.width + 34;
  const centre = { x: size.width / 2, y: size.height / 2 };
  const radius = {
    x: size.width / 2 - TAB.width / 2 - EDGE - (isNarrow ? 0 : room),
    y: size.height / 2 - TAB.height / 2 - EDGE - 10 - (isNarrow ? room : 0),
  };
  places.set("server", centre);
  sizes.set("server", SERVER_SIZE);
  const ring = new Ellipse(radius);
  const scale = Math.max(LEAST_SCALE, Math.min(1, ring.length / (ROOM_FOR_TAB * Math.max(1, tabs.length))));
  const tabSize = { width: TAB.width * scale, height: TAB.height * scale };
  const turned = [...turns(tabs)].map(([name, turn]) => [name, ring.at(turn)] as const);
  for (const [name, { x, y }] of filling(turned)) {
    places.set(name, { x: centre.x + radius.x * x, y: centre.y + radius.y * y });
    sizes.set(name, tabSize);
  }
  const producers = clients.filter((name) => name.includes("producer"));
  const consumers = clients.filter((name) => !name.includes("producer"));
  const perClient = size.width / Math.max(producers.length, consumers.length, 1);
  const clientScale = isNarrow ? Math.min(1, perClient / (CLIENT.width + 6)) : 1;
  for (const [side, group] of [producers, consumers].entries()) {
    group.forEach((name, index) => {
      const along = isNarrow ? (index + 0.5) / group.length : (index + 1) / (group.length + 1);
      const near = EDGE + (isNarrow ? CLIENT.height : CLIENT.width) / 2;
      const across = side === 0 ? near : (isNarrow ? size.height : size.width) - near;
      const place = isNarrow ? { x: along * size.width, y: across } : { x: across, y: along * size.height };
      places.set(name, place);
      sizes.set(name, { width: CLIENT.width * clientScale, height: CLIENT.height * clientScale });
    });
  }
  return { places, sizes, centre, scale, clientScale };
}

const SAMPLES = 240;

/** A ring on which equal turns are equally far apart, as equal angles are not. Places are in units of the radii. */
class Ellipse {
  readonly length: number;
  /** The length of the ring up to each sample. */
  readonly #lengths: readonly number[];

  constructor(radius: Point) {
    let length = 0;
    this.#lengths = Array.from({ length: SAMPLES + 1 }, (_, index) => {
      if (index === 0) return 0;
      const [one, two] = [onCircle((index - 1) / SAMPLES), onCircle(index / SAMPLES)];
      length += Math.hypot((two.x - one.x) * radius.x, (two.y - one.y) * radius.y);
      return length;
    });
    this.length = length;
  }

  at(turn: number): Point {
    const wanted = turn * this.length;
    const index = this.#lengths.findIndex((length) => length >= wanted);
    return onCircle((index === -1 ? 0 : index) / SAMPLES);
  }
}

/** Turns go clockwise, from 0 at the top to 1. */
function onCircle(turn: number): Point {
  const angle = 2 * Math.PI * turn - Math.PI / 2;
  return { x: Math.cos(angle), y: Math.sin(angle) };
}

/** Five places on a circle do not reach its lowest point: they are spread until they use all the room, from -1 to 1. */
function filling(places: readonly (readonly [string, Point])[]): (readonly [string, Point])[] {
  const spread = (values: readonly number[]) => {
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return (value: number) => (most - least < 0.01 ? value : ((value - least) / (most - least)) * 2 - 1);
  };
  const x = spread(places.map(([, place]) => place.x));
  const y = spread(places.map(([, place]) => place.y));
  return places.map(([name, place]) => [name, { x: x(place.x), y: y(place.y) }] as const);
}

/** Where each tab stands on the ring, from 0 at the top to 1; tabs of a profile stand together. */
function turns(tabs: readonly Pick<TabView, "name" | "profile">[]): ReadonlyMap<string, number> {
  const ordered = groupByProfile(tabs).flatMap(([, members]) => members);
  let position = 0;
  const positions = ordered.map((tab, index) => {
    const before = ordered[index - 1];
    if (before !== undefined) position += before.profile === tab.profile ? 1 : PROFILE_GAP;
    return position;
  });
  const around = position + PROFILE_GAP;
  return new Map(ordered.map(({ name }, index) => [name, positions[index]! / around]));
}

export function groupByProfile<T extends Pick<TabView, "profile">>(tabs: readonly T[]): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const tab of tabs) {
    const group = groups.get(tab.profile);
    if (group === undefined) groups.set(tab.profile, [tab]);
    else group.push(tab);
  }
  return [...groups];
}

/** The way of a link; undefined when one of its ends is not drawn. The same line for both directions. */
export function curveBetween({ places, sizes, centre }: SceneLayout, one: string, two: string): Curve | undefined {
  const from = places.get(one);
  const to = places.get(two);
  if (from === undefined || to === undefined) return undefined;
  const isBetweenTabs = isTab(one) && isTab(two);
  const bend = bendOf(from, to, isBetweenTabs ? centre : undefined);
  return { from: edgePoint(from, bend, sizes.get(one)!), bend, to: edgePoint(to, bend, sizes.get(two)!) };
}

function isTab(name: string): boolean {
  return name.startsWith("tab-");
}

/** Straight, or around the centre where the line would cross it. */
function bendOf(from: Point, to: Point, centre: Point | undefined): Point {
  const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
  if (centre === undefined) return middle;
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const normal = { x: -(to.y - from.y) / length, y: (to.x - from.x) / length };
  const distance = (middle.x - centre.x) * normal.x + (middle.y - centre.y) * normal.y;
  if (Math.abs(distance) >= CLEARANCE) return middle;
  const push = 2 * ((distance < 0 ? -CLEARANCE : CLEARANCE) - distance);
  return { x: middle.x + normal.x * push, y: middle.y + normal.y * push };
}

/** Where the line from the middle of a box towards a point leaves the box, and a little farther. */
function edgePoint(middle: Point, towards: Point, { width, height }: Size): Point {
  const x = towards.x - middle.x;
  const y = towards.y - middle.y;
  const scale = Math.min((width / 2 + 3) / Math.max(1, Math.abs(x)), (height / 2 + 3) / Math.max(1, Math.abs(y)), 1);
  return { x: middle.x + x * scale, y: middle.y + y * scale };
}

export function pointOn({ from, bend, to }: Curve, at: number): Point {
  const rest = 1 - at;
  return {
    x: rest * rest * from.x + 2 * rest * at * bend.x + at * at * to.x,
    y: rest * rest * from.y + 2 * rest * at * bend.y + at * at * to.y,
  };
}

/** The direction of the curve there, in degrees. */
export function angleOn({ from, bend, to }: Curve, at: number): number {
  const x = (1 - at) * (bend.x - from.x) + at * (to.x - bend.x);
  const y = (1 - at) * (bend.y - from.y) + at * (to.y - bend.y);
  return (Math.atan2(y, x) * 180) / Math.PI;
}
