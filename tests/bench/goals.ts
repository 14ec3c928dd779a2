import type { Figures } from "./figures.ts";
import { COMMIT, RAW_CHANNEL, RAW_FORWARDING, ROUND_TRIP } from "./raw-names.ts";

/** What a figure must reach. `measured` is undefined where the run has not measured what it takes. */
export interface Goal {
  readonly what: string;
  readonly wanted: string;
  measured(figures: Figures): number | undefined;
  reached(value: number): boolean;
  readonly unit: string;
}

const EVERY_KIB = "RF 3, acks=all, 1 KiB";

export const goals: readonly Goal[] = [
  share("RF 1, acks=1, 1 KiB, other tab", "produce", "RF 1, acks=1, 1 KiB", RAW_CHANNEL.name, 0.8),
  share("RF 3, acks=all, 1 KiB", "produce", EVERY_KIB, RAW_FORWARDING.name, 0.8),
  share("RF 3, acks=all, 100 B", "produce", "RF 3, acks=all, 100 B", RAW_FORWARDING.name, 0.6),
  {
    what: "RF 3, JSON, best codec, in user bytes",
    wanted: "≥ 3 × raw forwarding",
    measured: (figures) => bestJson(figures),
    reached: (value) => value >= 3,
    unit: "×",
  },
  against("RF 1, acks=1, 100 B", "JetStream, one copy, 100 B", 10),
  against("RF 3, acks=all, 100 B", "JetStream, one copy, 100 B", 5),
  against("RF 1, acks=1, 1 KiB", "JetStream, one copy, 1 KiB", 2.5),
  against("RF 3, acks=all, 1 KiB", "JetStream, one copy, 1 KiB", 1),
  against("RF 2, acks=all, 10,000 records from the leader's tab", "RxDB WebRTC, 10,000 documents", 20),
  {
    what: "end-to-end p50 at 1,000 records/s, of two round trips + two commits",
    wanted: "≤ 2 ×",
    measured: (figures) => latencyShare(figures),
    reached: (value) => value <= 2,
    unit: "×",
  },
  absolute("end-to-end p99 at 1,000 records/s", "latency", "1,000 records/s, p99", 10, "ms", "at most"),
  absolute("consume from a tab's own replica", "consume", "own replica, 100 B", 300_000, "records/s", "at least"),
  share("catch-up of a fresh follower", "catch-up", "fresh follower", RAW_CHANNEL.name, 0.7),
  absolute("failover gap, tab closed, p50", "failover", "tab closed", 150, "ms", "at most"),
  absolute("failover gap, browser killed, p50", "failover", "browser killed", 1_000, "ms", "at most"),
  absolute("failover gap, tab frozen, p50", "failover", "tab frozen", 5_000, "ms", "at most"),
  absolute("cold tab to first acknowledgement", "start", "cold client's first acknowledgement", 1_500, "ms", "at most"),
  absolute("idle tab, processor", "idle", "processor of one tab", 1, "% of a core", "at most"),
  absolute("idle tab, traffic to the server", "idle", "traffic with the server", 500, "B/s", "at most"),
  absolute("broker heap at steady 5 MB/s", "memory", "heap of the leader's worker, most", 96, "MiB", "at most"),
  absolute("SDK without codecs and broker", "bundle", "SDK, gzipped", 45, "KB", "at most"),
  absolute("controller, one of 1,000 brokers lost", "scale", "decision at 1,000 brokers", 20, "ms", "at most"),
  absolute("growth of that decision, exponent", "scale", "growth of the decision", 1.24, "", "at most"),
];

function share(what: string, scenario: string, name: string, limit: string, least: number): Goal {
  return {
    what,
    wanted: `≥ ${least.toFixed(2)} of the ${limit}`,
    measured: (figures) => figures.ratio(scenario, name, limit),
    reached: (value) => value >= least,
    unit: "",
  };
}

function against(name: string, peer: string, least: number): Goal {
  return {
    what: `${name} against ${peer}`,
    wanted: `≥ ${least} ×`,
    measured(figures) {
      // Slow peers have fewer rounds than we have.
      const [ours, theirs] = [figures.median("peers", name), figures.median("peers", peer)];
      return ours === undefined || theirs === undefined ? undefined : ours / theirs;
    },
    reached: (value) => value >= least,
    unit: "×",
  };
}

function absolute(
  what: string,
  scenario: string,
  name: string,
  bound: number,
  unit: string,
  kind: "at least" | "at most",
): Goal {
  return {
    what,
    wanted: `${kind === "at least" ? "≥" : "≤"} ${bound.toLocaleString("en")} ${unit}`.trim(),
    measured: (figures) => figures.median(scenario, name),
    reached: (value) => (kind === "at least" ? value >= bound : value <= bound),
    unit,
  };
}

function bestJson(figures: Figures): number | undefined {
  const shares = ["gzip", "snappy", "lz4", "zstd"].flatMap(
    (codec) => figures.ratio("produce", `RF 3, acks=all, JSON, ${codec}`, RAW_FORWARDING.name) ?? [],
  );
  return shares.length === 0 ? undefined : Math.max(...shares);
}

function latencyShare(figures: Figures): number | undefined {
  const [latency, roundTrip, commit] = ["1,000 records/s, p50", ROUND_TRIP.name, COMMIT.name].map((name) =>
    figures.median("latency", name),
  );
  if (latency === undefined || roundTrip === undefined || commit === undefined) return undefined;
  return latency / (2 * roundTrip + 2 * commit);
}
