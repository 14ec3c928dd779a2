import { earthquakesOf } from "./earthquakes.ts";
import type { Earthquake } from "./earthquakes.ts";
import { landOf } from "./land.ts";
import type { Outline, Topology } from "./land.ts";

// Each becomes an asset of its own. Named by path, because the package exports only the addresses of a CDN.
const EARTHQUAKES = new URL("../../node_modules/vega-datasets/data/earthquakes.json", import.meta.url);
const WORLD = new URL("../../node_modules/vega-datasets/data/world-110m.json", import.meta.url);

/** Fetched on demand: nobody who does not replay pays for the megabyte. */
export async function loadEarthquakes(): Promise<readonly Earthquake[]> {
  return earthquakesOf(await load("earthquakes", EARTHQUAKES));
}

/** The outlines of the world's land, from the TopoJSON file beside the earthquakes. */
export async function loadLand(): Promise<readonly Outline[]> {
  return landOf((await load("map", WORLD)) as Topology);
}

async function load(name: string, url: URL): Promise<unknown> {
  const response = await fetch(url);
  if (!response.ok)
    throw new Error(`the ${name} cannot be loaded: the server answered ${response.status} for ${url.pathname}`);
  return response.json();
}
