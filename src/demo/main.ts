import type { BrokerTab, Kafka } from "../index.ts";
import { reasonOf } from "../inspector/reason.ts";
import { readTopic } from "../inspector/topic-reader.ts";
import type { TopicReader } from "../inspector/topic-reader.ts";
import { defineComponents } from "./define.ts";
import { loadLand } from "./data-sets.ts";
import { decodeEarthquake } from "./earthquakes.ts";
import { Observations } from "./observations.ts";
import { Page } from "./page.ts";
import { EARTHQUAKES } from "./replay-panel.ts";
import { Session } from "./session.ts";
import { connected, durability, kafkaHere, missingFeatures, server } from "./this-tab.ts";

declare global {
  interface Window {
    /** For the curious, in the browser's console. */
    tabstream: { readonly kafka: Kafka; readonly tab: BrokerTab | undefined };
  }
}

const REFRESH_MS = 1000;
const GROUPS_ASKED_EVERY_MS = 3000;
const STORAGE_MEASURED_EVERY_MS = 5000;
const QUAKES_DRAWN_AT_START = 1000;

defineComponents();
const kafka = kafkaHere();
const admin = kafka.admin();
const observations = new Observations();
const session = new Session(kafka);
/** One question at a time: without a leader an answer may take long. */
let asking = false;

const page = new Page({ kafka, admin, server, durability, missing: missingFeatures(), observations, session });
window.tabstream = { kafka, tab: undefined };
drawLand();
if (missingFeatures().length === 0) void start();

async function start(): Promise<void> {
  try {
    await startBroker();
  } catch (error) {
    observations.startError = reasonOf(error);
    page.changed();
  }
  await watch();
}

async function startBroker(): Promise<void> {
  const tab = await kafka.broker({ durability });
  window.tabstream = { kafka, tab };
  page.tab = tab;
  observations.status = tab.status();
  tab.onStatus((status) => {
    observations.status = status;
    page.changed();
  });
}

async function watch(): Promise<void> {
  await connected(kafka, admin);
  let mapped: string | undefined;
  let quakes: Promise<TopicReader | undefined> = Promise.resolve(undefined);
  admin.watchCluster((view) => {
    const nowMs = performance.now();
    const { elected, gone, news } = observations.onView(view);
    page.tell(news);
    for (const topic of gone) session.forget(topic);
    for (const partition of elected) session.failover.onElection(partition, nowMs);
    const topicId = view.topics.find((topic) => topic.name === EARTHQUAKES.name)?.topicId;
    if (topicId !== mapped) {
      mapped = topicId;
      page.clearQuakes();
      quakes = quakes.then((reader) => reader?.close()).then(() => (topicId === undefined ? undefined : drawQuakes()));
      quakes = quakes.catch((error: unknown) => {
        // The next change of the metadata is another chance.
        mapped = undefined;
        kafka.logger().warn(`The earthquakes cannot be drawn: ${reasonOf(error)}`);
        return undefined;
      });
    }
    page.changed();
  });
  setInterval(refresh, REFRESH_MS);
  void watchGroups();
  measureStorage();
  setInterval(measureStorage, STORAGE_MEASURED_EVERY_MS);
}

function measureStorage(): void {
  void observations.measureStorage().then(page.changed);
}

function refresh(): void {
  observations.measureRate(performance.now());
  page.changed();
  if (document.hidden || asking) return;
  asking = true;
  void observations
    .ask(admin, page.shownTopics)
    .catch((error: unknown) => kafka.logger().warn(`Asking about the shown topics failed: ${reasonOf(error)}`))
    .finally(() => {
      asking = false;
      page.changed();
    });
}

async function watchGroups(): Promise<never> {
  for (;;) {
    if (!document.hidden) {
      await observations
        .askGroups(admin)
        .catch((error: unknown) => kafka.logger().warn(`Asking about groups failed: ${reasonOf(error)}`));
      page.changed();
    }
    await new Promise((resolve) => setTimeout(resolve, GROUPS_ASKED_EVERY_MS));
  }
}

function drawLand(): void {
  loadLand().then(
    (land) => page.showLand(land),
    (error: unknown) => kafka.logger().error(reasonOf(error)),
  );
}

function drawQuakes(): Promise<TopicReader> {
  return readTopic(kafka, {
    topic: EARTHQUAKES.name,
    from: { kind: "newest", count: QUAKES_DRAWN_AT_START },
    onBatch(batch) {
      observations.onRead(EARTHQUAKES.name, batch);
      const consumed = batch.records.flatMap(({ partition, value }) => {
        const quake = decodeEarthquake(value);
        return quake === undefined ? [] : [{ quake, partition }];
      });
      page.addQuakes(consumed);
      page.changed();
    },
  });
}
