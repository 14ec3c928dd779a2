import { visibleText } from "../inspector/visible-text.ts";

/** One earthquake of the week that the data set holds (USGS, all magnitudes, January and February 2018). */
export interface Earthquake {
  readonly id: string;
  readonly timeMs: number;
  readonly magnitude: number;
  readonly place: string;
  readonly longitude: number;
  readonly latitude: number;
}

/** An earthquake as it was consumed: its partition gives its colour. */
export interface ConsumedQuake {
  readonly quake: Earthquake;
  readonly partition: number;
}

/** USGS abbreviates these for some stations and spells them out for others; one region must be one key. */
const SPELLED_OUT: ReadonlyMap<string, string> = new Map([
  ["CA", "California"],
  ["MX", "Mexico"],
]);

/** Longer values of the topic come from somebody else, and are not earthquakes of ours. */
const VALUE_BYTES_MAX = 2048;

/** All of them, oldest first, from the GeoJSON of the USGS. */
export function earthquakesOf(collection: unknown): readonly Earthquake[] {
  const features = property(collection, "features");
  if (!Array.isArray(features)) throw new Error("the earthquakes are not a GeoJSON feature collection");
  return features
    .map(earthquakeOf)
    .filter((quake) => quake !== undefined)
    .sort((a, b) => a.timeMs - b.timeMs);
}

/** The key of an earthquake's record: its region, so that the quakes of a region keep their order. */
export function regionOf(place: string): string {
  const region = place.slice(place.lastIndexOf(", ") + 1).trim();
  return SPELLED_OUT.get(region) ?? region;
}

export function encodeEarthquake(quake: Earthquake): string {
  return JSON.stringify(quake);
}

/** Undefined for anything that `encodeEarthquake` did not make: everybody may write to the topic. */
export function decodeEarthquake(value: Uint8Array | null): Earthquake | undefined {
  if (value === null || value.length > VALUE_BYTES_MAX) return undefined;
  try {
    return checked(JSON.parse(new TextDecoder().decode(value)));
  } catch {
    return undefined;
  }
}

const minutes = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  timeZone: "UTC",
});

/** The time of an event, to the minute. */
export function eventTime(timeMs: number): string {
  return `${minutes.format(timeMs)} UTC`;
}

export function describeQuake(quake: Earthquake): string {
  return `${eventTime(quake.timeMs)} · M ${quake.magnitude.toFixed(1)} · ${visibleText(quake.place, 80)}`;
}

function earthquakeOf(feature: unknown): Earthquake | undefined {
  const properties = property(feature, "properties");
  const coordinates = property(property(feature, "geometry"), "coordinates");
  return checked({
    id: property(feature, "id"),
    timeMs: property(properties, "time"),
    magnitude: property(properties, "mag"),
    place: property(properties, "place"),
    longitude: property(coordinates, "0"),
    latitude: property(coordinates, "1"),
  });
}

function checked(quake: unknown): Earthquake | undefined {
  const id = property(quake, "id");
  const place = property(quake, "place");
  const timeMs = property(quake, "timeMs");
  const magnitude = property(quake, "magnitude");
  const longitude = property(quake, "longitude");
  const latitude = property(quake, "latitude");
  if (typeof id !== "string" || typeof place !== "string") return undefined;
  if (!within(timeMs, 8.64e15) || !within(magnitude, 12) || !within(longitude, 360) || !within(latitude, 90))
    return undefined;
  return { id, timeMs, magnitude, place, longitude, latitude };
}

function within(value: unknown, limit: number): value is number {
  return typeof value === "number" && Math.abs(value) <= limit;
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
