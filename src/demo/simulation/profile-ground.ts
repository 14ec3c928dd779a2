import type { Point, SceneLayout } from "./scene-layout.ts";
import { TAB } from "./scene-layout.ts";
import { svg } from "./svg.ts";

const MARGIN = 8;

/** The ground that the tabs of one profile stand on, with the profile's name on its outer side. */
export function profileGround(
  names: readonly string[],
  profile: string,
  { places, centre, scale }: SceneLayout,
): readonly SVGElement[] {
  const standing = names.flatMap((name) => places.get(name) ?? []);
  const [first] = standing;
  if (first === undefined) return [];
  const width = TAB.width * scale + 2 * MARGIN;
  const height = TAB.height * scale + 2 * MARGIN;
  const isUpper = first.y < centre.y - height / 2;
  const points = standing.map(({ x, y }: Point) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  const label = { x: first.x, y: first.y + (isUpper ? -height / 2 - 4 : height / 2 + 11), class: "profile" };
  return [
    svg("polyline", { points, class: "ground-bridge", "stroke-width": height * 0.7 }),
    ...standing.map(({ x, y }) => {
      return svg("rect", { x: x - width / 2, y: y - height / 2, width, height, rx: 15, class: "ground" });
    }),
    svg("text", label, profile.replace("-", " ")),
  ];
}
