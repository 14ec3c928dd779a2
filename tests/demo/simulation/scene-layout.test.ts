import { describe, expect, test } from "vitest";
import { curveBetween, layOut, pointOn } from "../../../src/demo/simulation/scene-layout.ts";
import type { SceneLayout } from "../../../src/demo/simulation/scene-layout.ts";

const clients = ["consumer-0", "consumer-1", "producer-0", "producer-1", "producer-2"];
const wide = { width: 720, height: 364 };
const narrow = { width: 358, height: 472 };

function tabs(count: number, profiles: number) {
  return Array.from({ length: count }, (_, index) => {
    return { name: `tab-${index + 1}`, profile: `profile-${index % profiles}` };
  });
}

function overlapping({ places, sizes }: SceneLayout): string[] {
  const names = [...places.keys()];
  return names.flatMap((one, index) =>
    names.slice(index + 1).flatMap((two) => {
      const [a, b] = [places.get(one)!, places.get(two)!];
      const [p, q] = [sizes.get(one)!, sizes.get(two)!];
      const apart = Math.abs(a.x - b.x) >= (p.width + q.width) / 2 || Math.abs(a.y - b.y) >= (p.height + q.height) / 2;
      return apart ? [] : [`${one} and ${two}`];
    }),
  );
}

describe.each([["a desktop", wide], ["a phone", narrow]] as const)("on %s", (_, size) => {
  test.each([3, 4, 5, 6, 7])("%i tabs are all in sight, and none hides another", (count) => {
    for (const profiles of [count, count - 1, 2]) {
      const layout = layOut(size, tabs(count, profiles), clients);
      expect(overlapping(layout), `${profiles} profiles`).toEqual([]);
      for (const [name, { x, y }] of layout.places) {
        const { width, height } = layout.sizes.get(name)!;
        expect(x - width / 2, name).toBeGreaterThanOrEqual(0);
        expect(x + width / 2, name).toBeLessThanOrEqual(size.width);
        expect(y - height / 2, name).toBeGreaterThanOrEqual(0);
        expect(y + height / 2, name).toBeLessThanOrEqual(size.height);
      }
    }
  });
});

test("tabs of one profile stand together", () => {
  const { places } = layOut(wide, tabs(6, 3), []);
  const distance = (one: string, two: string) => {
    const [a, b] = [places.get(one)!, places.get(two)!];
    return Math.hypot(a.x - b.x, a.y - b.y);
  };
  expect(distance("tab-1", "tab-4")).toBeLessThan(distance("tab-1", "tab-3"));
});

test("a link between tabs that face each other goes around the server", () => {
  const layout = layOut(wide, tabs(4, 4), []);
  const curve = curveBetween(layout, "tab-1", "tab-3")!;
  const { x, y } = pointOn(curve, 0.5);
  expect(Math.hypot(x - layout.centre.x, y - layout.centre.y)).toBeGreaterThan(45);
});

test("a link to a node that is not drawn has no line", () => {
  expect(curveBetween(layOut(wide, tabs(3, 3), []), "tab-1", "admin")).toBeUndefined();
});
