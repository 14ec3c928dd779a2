import type { Admin, BrokerTab, ClusterView, Kafka } from "../index.ts";
import { adviceFor } from "../inspector/advice.ts";
import { BrokerBanner } from "../inspector/broker-banner.ts";
import { ClusterPicture } from "../inspector/cluster-picture.ts";
import { paced } from "../inspector/element.ts";
import { GroupList } from "../inspector/group-list.ts";
import { LinkList } from "../inspector/link-list.ts";
import { NewsList } from "../inspector/news-list.ts";
import { NumberStrip } from "../inspector/number-strip.ts";
import { PartitionTable } from "../inspector/partition-table.ts";
import { ProduceForm } from "../inspector/produce-form.ts";
import { isInternal, profileNames, replicaGrid } from "../inspector/replica-grid.ts";
import { StorageCard } from "../inspector/storage-card.ts";
import { TopicList } from "../inspector/topic-list.ts";
import type { TopicActions } from "../inspector/topic-list.ts";
import { TopicTail } from "../inspector/topic-tail.ts";
import type { ReadBatch } from "../inspector/topic-reader.ts";
import { BrokerButtons } from "./broker-buttons.ts";
import { pathsByBroker } from "./broker-paths.ts";
import { isOver, showBrokerState } from "./broker-state.ts";
import type { ConsumedQuake } from "./earthquakes.ts";
import type { Outline } from "./land.ts";
import { MagnitudeStrip } from "./magnitude-strip.ts";
import type { Observations } from "./observations.ts";
import { pageFigures } from "./page-figures.ts";
import { QuakeMap } from "./quake-map.ts";
import { EARTHQUAKES, ReplayPanel } from "./replay-panel.ts";
import type { Session } from "./session.ts";
import { at, pageAddress } from "./this-tab.ts";

export interface PageParts {
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly server: string;
  readonly durability: string;
  readonly missing: readonly string[];
  readonly observations: Observations;
  readonly session: Session;
}

/** Lays the components out and tells them, at most once a frame, what has been observed. */
export class Page {
  readonly changed = paced(() => this.#render());
  readonly #map = new QuakeMap();
  readonly #magnitudes = new MagnitudeStrip();
  readonly #banner = new BrokerBanner();
  readonly #numbers = new NumberStrip();
  readonly #picture = new ClusterPicture();
  readonly #replay = new ReplayPanel();
  readonly #tail = new TopicTail();
  readonly #form = new ProduceForm();
  readonly #topics = new TopicList();
  readonly #table = new PartitionTable();
  readonly #storage = new StorageCard();
  readonly #links = new LinkList();
  readonly #groups = new GroupList();
  readonly #news = new NewsList();
  readonly #buttons = new BrokerButtons(at("actions"));
  readonly #parts: PageParts;
  readonly #topicActions: TopicActions;
  #selected = new URLSearchParams(location.hash.slice(1)).get("topic") ?? undefined;

  constructor(parts: PageParts) {
    this.#parts = parts;
    this.#topicActions = topicActions(parts);
    this.#mount();
    const onSelected = (event: Event): void => this.select((event as CustomEvent<string>).detail);
    this.#picture.addEventListener("topic-selected", onSelected);
    this.#topics.addEventListener("topic-selected", onSelected);
    this.#tail.addEventListener("records-read", (event) => {
      if (this.#selected === undefined) return;
      parts.observations.onRead(this.#selected, (event as CustomEvent<ReadBatch>).detail);
      this.changed();
    });
    this.#replay.connect({ prepare: () => this.#prepareReplay(), send: (request) => parts.session.send(request) });
    // The numbers of a replay that has ended are final.
    this.#replay.addEventListener("replay-ended", () => this.#render());
    this.#storage.addEventListener("keep-asked", () => {
      void parts.observations.keepStorage().then(this.changed);
    });
    addEventListener("hashchange", () => {
      this.#selected = new URLSearchParams(location.hash.slice(1)).get("topic") ?? undefined;
      this.changed();
    });
    this.changed();
  }

  /** This tab's broker, once it has been started. */
  set tab(tab: BrokerTab) {
    this.#buttons.tab = tab;
    this.changed();
  }

  /** What has just happened to the cluster, in sentences. */
  tell(news: readonly string[]): void {
    this.#news.add(news, Date.now());
  }

  showLand(land: readonly Outline[]): void {
    this.#map.showLand(land);
  }

  addQuakes(consumed: readonly ConsumedQuake[]): void {
    this.#map.add(consumed);
    this.#magnitudes.add(consumed);
  }

  clearQuakes(): void {
    this.#map.clear();
    this.#magnitudes.clear();
  }

  /** The choice stands in the address, so that a reload or a shared link shows the same topic. */
  select(topic: string): void {
    this.#selected = topic;
    history.replaceState(null, "", `#${new URLSearchParams({ topic })}`);
    this.changed();
  }

  /** Topics whose numbers are on the screen. */
  get shownTopics(): readonly string[] {
    const view = this.#parts.observations.view;
    if (view === undefined) return [];
    return replicaGrid(view, { ownId: -1, topic: this.#selected }).topics.map((topic) => topic.name);
  }

  async #prepareReplay(): Promise<void> {
    const topics = this.#parts.observations.view?.topics ?? [];
    if (!topics.some((topic) => topic.name === EARTHQUAKES.name)) await this.#topicActions.create(EARTHQUAKES);
    this.select(EARTHQUAKES.name);
  }

  #mount(): void {
    at("banner").append(this.#banner);
    at("numbers").append(this.#numbers);
    at("picture").append(this.#picture, this.#news);
    at("earthquakes").append(this.#replay, this.#map, this.#magnitudes);
    at("produce").append(this.#form);
    at("records").append(this.#tail);
    at("topics").append(this.#topics);
    at("copies").append(this.#table);
    at("groups").append(this.#groups);
    at("storage").append(this.#storage);
    at("links").append(this.#links);
    for (const link of document.querySelectorAll<HTMLAnchorElement>("a[data-page]")) {
      link.href = pageAddress(link.dataset["page"] ?? "");
    }
  }

  #render(): void {
    const { observations, kafka, session } = this.#parts;
    this.#renderHeader();
    this.#banner.show(adviceFor({ ...this.#parts, ...observationsOf(observations) }));
    this.#numbers.show(pageFigures(session, observations));
    const { view, status } = observations;
    if (status !== undefined) this.#table.show(status);
    this.#storage.show({
      storedBytes: status?.storedBytes ?? 0,
      durability: this.#parts.durability,
      room: observations.room,
    });
    if (observations.groups !== undefined) {
      this.#groups.show(observations.groups, (id) => pageAddress("group.html", id === undefined ? {} : { group: id }));
    }
    if (view === undefined) return;
    this.#selected ??= view.topics.find(({ name }) => !isInternal(name))?.name;
    const paths = pathsByBroker(this.#buttons.tab?.linkPaths() ?? [], view.brokers);
    const topic = view.topics.find(({ name }) => name === this.#selected);
    const ownId = status?.brokerId ?? -1;
    this.#picture.show({
      grid: replicaGrid(isOver(observations) ? withoutBroker(view, ownId) : view, { ownId, topic: this.#selected }),
      selected: this.#selected,
      paths,
      figures: observations.figures(),
    });
    this.#topics.show(view.topics, this.#selected, this.#topicActions);
    this.#form.show(topic?.name, topic?.partitions.length ?? 0, (request) => session.send(request));
    this.#tail.show(kafka, topic);
    this.#links.show(
      view.brokers
        .filter((broker) => broker.nodeId !== ownId && !broker.fenced)
        .map(({ nodeId, fenced }) => ({ nodeId, fenced, path: paths.get(nodeId) })),
    );
  }

  #renderHeader(): void {
    const { observations } = this.#parts;
    const { status, view } = observations;
    const profile =
      view === undefined || status === undefined ? undefined : profileNames(view.brokers).get(status.rack);
    showBrokerState(observations, profile);
    this.#buttons.show(observations);
    const id = status?.brokerId ?? -1;
    document.title = id < 0 ? "Tabstream" : `Broker ${id} · Tabstream`;
  }
}

function topicActions({ admin }: PageParts): TopicActions {
  return {
    async create({ name, partitions, replicationFactor }) {
      await admin.createTopics({ topics: [{ topic: name, numPartitions: partitions, replicationFactor }] });
    },
    async remove(name) {
      await admin.deleteTopics({ topics: [name] });
    },
  };
}

/** A broker that has just stopped knows it before the metadata says so. */
function withoutBroker(view: ClusterView, nodeId: number): ClusterView {
  const brokers = view.brokers.map((broker) => (broker.nodeId === nodeId ? { ...broker, fenced: true } : broker));
  return { ...view, brokers };
}

function observationsOf({ status, startError, view, minIsr, room }: Observations) {
  return { status, startError, view, minIsr, storage: room };
}
