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
/** 1,000 KiB/s in messages of four, as a producer sends them whose timers fire every 4 ms. */
export const CHAIN = {
  name: "bare chain, 4 KiB every 4 ms, p50",
  unit: "ms",
  better: "lower",
  durability: "stored three times, strict",
} as const;
