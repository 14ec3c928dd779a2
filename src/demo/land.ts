/** A closed outline in degrees: longitude, latitude. Longitudes run on past 180 instead of jumping back. */
export type Outline = readonly (readonly [number, number])[];

/** The part of a TopoJSON file that is read here. */
export interface Topology {
  readonly transform: { readonly scale: readonly [number, number]; readonly translate: readonly [number, number] };
  readonly arcs: readonly (readonly (readonly [number, number])[])[];
  readonly objects: { readonly land: { readonly arcs: readonly (readonly (readonly number[])[])[] } };
}

/**
 * The outlines of the land. Arcs are quantized and delta-encoded; a negative index is the complement of an arc's, and
 * reads it backwards.
 */
export function landOf(topology: Topology): readonly Outline[] {
  const { scale, translate } = topology.transform;
  const arcs = topology.arcs.map((arc) => {
    let x = 0;
    let y = 0;
    return arc.map(([dx, dy]): readonly [number, number] => {
      x += dx;
      y += dy;
      return [x * scale[0] + translate[0], y * scale[1] + translate[1]];
    });
  });
  const arcAt = (index: number) => (index < 0 ? [...(arcs[~index] ?? [])].reverse() : (arcs[index] ?? []));
  const rings = topology.objects.land.arcs.flat();
  return rings.map((ring) => unwrapped(ring.flatMap((index, at) => arcAt(index).slice(at === 0 ? 0 : 1))));
}

function unwrapped(ring: Outline): Outline {
  let turns = 0;
  return ring.map(([longitude, latitude], index) => {
    const step = longitude - (ring[index - 1]?.[0] ?? longitude);
    if (step > 180) turns--;
    if (step < -180) turns++;
    return [longitude + 360 * turns, latitude];
  });
}
