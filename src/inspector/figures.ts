/** How numbers are written in the page: short, aligned, with their unit. */
const counts = new Intl.NumberFormat("en");

export function count(value: number): string {
  return counts.format(value);
}

export function countOf(value: number, one: string, many: string): string {
  return `${counts.format(value)} ${value === 1 ? one : many}`;
}

/** A list for people: "1, 2 and 5". */
export function listOf(items: readonly string[], conjunction = "and"): string {
  if (items.length < 2) return items.join("");
  return `${items.slice(0, -1).join(", ")} ${conjunction} ${items.at(-1)}`;
}

export function milliseconds(value: number | undefined): string {
  if (value === undefined) return "–";
  if (value >= 10_000) return `${(value / 1000).toFixed(1)} s`;
  return value < 10 ? `${value.toFixed(1)} ms` : `${counts.format(Math.round(value))} ms`;
}

/** For what is seen to a twentieth of a second. */
export function briefly(durationMs: number): string {
  if (durationMs < 50) return "< 50 ms";
  return durationMs < 1000 ? milliseconds(durationMs) : `${(durationMs / 1000).toFixed(1)} s`;
}

export function perSecond(value: number): string {
  return value > 0 && value < 10 ? value.toFixed(1) : counts.format(Math.round(value));
}

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export function bytes(value: number): string {
  const power = Math.min(BYTE_UNITS.length - 1, value < 1 ? 0 : Math.floor(Math.log2(value) / 10));
  const scaled = value / 1024 ** power;
  const digits = power === 0 || scaled >= 100 ? 0 : 1;
  return `${scaled.toFixed(digits)} ${BYTE_UNITS[power]}`;
}

const times = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** Local time of day to the millisecond, for records of today's tail. */
export function timeOfDay(timestampMs: number): string {
  if (!Number.isFinite(timestampMs) || Math.abs(timestampMs) > 8.64e15) return "–";
  return `${times.format(timestampMs)}.${String(new Date(timestampMs).getMilliseconds()).padStart(3, "0")}`;
}
