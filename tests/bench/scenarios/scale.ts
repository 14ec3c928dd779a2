import { catchUp, ControllerDriver, newDirectory, TestBroker } from "../../metadata/controller-driver.ts";
import type { ClusterImage } from "../../../src/metadata/image.ts";
import type { Recorder, ScenarioOptions } from "../figure.ts";
import { growthExponent, median } from "../statistics.ts";

const SIZES = [10, 30, 100, 300, 1_000];
const PARTITIONS_PER_BROKER = 10;
const PARTITIONS_PER_TOPIC = 100;
/** Tabs of one browser profile. Ten brokers have to be more than three of them, for each copy to find one. */
const BROKERS_PER_RACK = 3;
const REPLICATION_FACTOR = 3;

interface Scale {
  readonly size: number;
  readonly oneLostMs: readonly number[];
  readonly rackLostMs: readonly number[];
  readonly metadataKib: number;
  readonly decisionBytes: number;
  readonly connections: readonly number[];
}

/** The controller alone, as it ships, without network or disk: from a socket's end to the batch of its decisions. */
export async function scale(recorder: Recorder, { roundCount }: ScenarioOptions): Promise<void> {
  measureScale(SIZES[2] ?? 100, 1);
  const scales = SIZES.map((size) => measureScale(size, roundCount));
  const ms = { unit: "ms", better: "lower" } as const;
  for (const { size, oneLostMs, rackLostMs, metadataKib, decisionBytes, connections } of scales) {
    const at = `${size.toLocaleString("en")} brokers`;
    recorder.figure({ ...ms, name: `decision at ${at}`, rounds: oneLostMs });
    recorder.figure({ ...ms, name: `decision at ${at}, a rack of ${BROKERS_PER_RACK} lost`, rounds: rackLostMs });
    recorder.figure({ name: `metadata a new tab reads at ${at}`, unit: "KiB", better: "lower", rounds: [metadataKib] });
    recorder.figure({ name: `metadata of one loss at ${at}`, unit: "B", better: "lower", rounds: [decisionBytes] });
    const most = Math.max(...connections);
    recorder.figure({ name: `most peers of a tab at ${at}`, unit: "", better: "lower", rounds: [most] });
  }
  const growth = growthExponent(scales.map(({ size, oneLostMs }) => ({ size, cost: median(oneLostMs) })));
  const rack = growthExponent(scales.map(({ size, rackLostMs }) => ({ size, cost: median(rackLostMs) })));
  // Over this range, n log n looks like an exponent of 1.24.
  const exponent = { unit: "(exponent)", better: "lower" } as const;
  recorder.figure({ ...exponent, name: "growth of the decision", rounds: [growth] });
  recorder.figure({ ...exponent, name: "growth of the decision, a rack lost", rounds: [rack] });
}

function measureScale(size: number, roundCount: number): Scale {
  const driver = new ControllerDriver();
  const brokers = Array.from({ length: size }, (_, index) =>
    TestBroker.start(driver, newDirectory(index + 1), `rack-${Math.floor(index / BROKERS_PER_RACK)}`),
  );
  for (let made = 0; made < size * PARTITIONS_PER_BROKER; made += PARTITIONS_PER_TOPIC) {
    const more = { replicationFactor: REPLICATION_FACTOR };
    const created = driver.createTopic(`topic-${made}`, PARTITIONS_PER_TOPIC, more);
    if (created.errorCode !== 0) throw new Error(`topic-${made}: ${created.errorMessage ?? created.errorCode}`);
  }
  const metadataKib = metadataBytes(driver) / 1024;
  const connections = peersPerBroker(driver.image);
  const oneLostMs: number[] = [];
  const decisionBytes: number[] = [];
  for (const broker of spread(brokers, roundCount)) {
    const before = metadataBytes(driver);
    oneLostMs.push(lossMs(driver, [broker]));
    decisionBytes.push(metadataBytes(driver) - before);
    comeBack(driver, brokers, [broker]);
  }
  const racks = Array.from({ length: Math.min(roundCount, Math.floor(size / BROKERS_PER_RACK)) }, (_, rack) =>
    brokers.slice(rack * BROKERS_PER_RACK, (rack + 1) * BROKERS_PER_RACK),
  );
  const rackLostMs = racks.map((rack) => {
    const elapsedMs = lossMs(driver, rack);
    comeBack(driver, brokers, rack);
    return elapsedMs;
  });
  return { size, oneLostMs, rackLostMs, metadataKib, decisionBytes: median(decisionBytes), connections };
}

/** Milliseconds until all that the brokers led has been decided on. */
function lossMs(driver: ControllerDriver, lost: readonly TestBroker[]): number {
  const led = ledBy(driver.image, lost);
  if (led.length === 0) throw new Error("the lost brokers led nothing, so there is nothing to decide");
  const startMs = performance.now();
  for (const broker of lost) broker.die();
  const elapsedMs = performance.now() - startMs;
  const ids = new Set(lost.map(({ id }) => id));
  const undecided = led.filter(({ topicId, partitionIndex }) => {
    const leader = driver.image.partition(topicId, partitionIndex)?.leader ?? -1;
    return leader < 0 || ids.has(leader);
  });
  if (undecided.length > 0) throw new Error(`${undecided.length} partitions have no new leader`);
  return elapsedMs;
}

/** The brokers return, catch up with everything again. Leadership stays where it is, so each round loses others. */
function comeBack(driver: ControllerDriver, all: readonly TestBroker[], lost: readonly TestBroker[]): void {
  for (const broker of lost) broker.restart();
  catchUp(driver, all);
}

function ledBy(image: ClusterImage, brokers: readonly TestBroker[]) {
  const ids = new Set(brokers.map(({ id }) => id));
  return [...image.topics.values()].flatMap(({ partitions }) => partitions.filter(({ leader }) => ids.has(leader)));
}

function metadataBytes({ snapshot, log }: ControllerDriver): number {
  return (snapshot?.records.length ?? 0) + log.reduce((sum, { batch }) => sum + batch.length, 0);
}

/** How many other tabs each tab has a link with: those it copies from, and those that copy from it. */
function peersPerBroker({ topics }: ClusterImage): number[] {
  const peers = new Map<number, Set<number>>();
  const link = (from: number, to: number) => {
    peers.set(from, (peers.get(from) ?? new Set()).add(to));
    peers.set(to, (peers.get(to) ?? new Set()).add(from));
  };
  for (const { partitions } of topics.values()) {
    for (const { leader, replicas } of partitions) for (const node of replicas) if (node !== leader) link(leader, node);
  }
  return [...peers.values()].map((set) => set.size);
}

function spread<T>(values: readonly T[], count: number): T[] {
  return Array.from({ length: count }, (_, index) => values[Math.floor((index * values.length) / count)]!);
}
