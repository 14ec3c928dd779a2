const NOTHING_STORED = "nothing is stored";

/** The figures that others are held against, by the same name in every scenario that measures them. */
export const RAW_CHANNEL = {
  name: "raw channel",
  unit: "MiB/s",
  better: "higher",
  durability: NOTHING_STORED,
} as const;
export const RAW_FORWARDING = { ...RAW_CHANNEL, name: "raw forwarding to two others" } as const;
export const ROUND_TRIP = {
  name: "round trip of 1 KiB, p50",
  unit: "ms",
  better: "lower",
  durability: NOTHING_STORED,
} as const;
export const COMMIT = {
  name: "IndexedDB commit of 1 KiB, p50",
  unit: "ms",
  better: "lower",
  durability: "strict",
} as const;
