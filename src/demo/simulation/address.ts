import { SPEEDS } from "./speeds.ts";
import type { Speed } from "./speeds.ts";

/** What this page's address asks for: which run, and the moment of it that is to be shown. */
export interface RunAddress {
  readonly seed: number;
  readonly seconds: number;
  /** Shown as it stands there; undefined to play from the start. */
  readonly atSeconds: number | undefined;
  readonly speed: Speed;
}

/** Why an address, or what was typed into a field, is not followed; for people. */
export class RefusedAddress extends Error {
  override readonly name = "RefusedAddress";
}

export const MOST_SEED = 1_000_000_000;
/** A longer run is one for the command line. */
export const MOST_SECONDS = 3_600;
/** What comes before the faults and after them never takes longer than this together. */
const AROUND_SECONDS = 120;
const USUAL = { seed: 1, seconds: 40, speed: 1 } as const;

/** Throws a `RefusedAddress` that names the first parameter that is not what it may be. */
export function readAddress(search: string): RunAddress {
  const parameters = new URLSearchParams(search);
  const read = <T>(name: string, usual: T, parse: (text: string) => T): T => {
    const text = parameters.get(name);
    return text === null ? usual : parse(text);
  };
  const seconds = read("seconds", USUAL.seconds, readSeconds);
  return {
    seed: read("seed", USUAL.seed, readSeed),
    seconds,
    atSeconds: read<number | undefined>("at", undefined, (text) => readMoment(text, seconds)),
    speed: read<Speed>("speed", USUAL.speed, readSpeed),
  };
}

export function writeAddress({ seed, seconds, atSeconds, speed }: RunAddress): string {
  const parameters = new URLSearchParams({ seed: String(seed), seconds: String(seconds) });
  if (atSeconds !== undefined) parameters.set("at", String(Number(atSeconds.toFixed(6))));
  if (speed !== USUAL.speed) parameters.set("speed", String(speed));
  return `?${parameters}`;
}

export function readSeed(text: string): number {
  return wholeNumber("seed", text, 0, MOST_SEED);
}

export function readSeconds(text: string): number {
  return wholeNumber("seconds", text, 1, MOST_SECONDS);
}

/** A moment of a run with `seconds` of faults. */
export function readMoment(text: string, seconds: number): number {
  const most = seconds + AROUND_SECONDS;
  const value = Number(text);
  if (/^\d{1,6}(\.\d{1,6})?$/.test(text) && value <= most) return value;
  throw new RefusedAddress(`at ${shown(text)}: give a number of seconds from 0 to ${most}, with up to six decimals`);
}

function readSpeed(text: string): Speed {
  const speed = SPEEDS.find((one) => String(one) === text);
  if (speed !== undefined) return speed;
  throw new RefusedAddress(`speed ${shown(text)}: give one of ${SPEEDS.join(", ")}`);
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d{1,10}$/.test(text) && value >= least && value <= most) return value;
  const range = `${least.toLocaleString("en")} to ${most.toLocaleString("en")}`;
  throw new RefusedAddress(`${name} ${shown(text)}: give a whole number from ${range}`);
}

function shown(text: string): string {
  return `“${text.length > 40 ? `${text.slice(0, 40)}…` : text}”`;
}
