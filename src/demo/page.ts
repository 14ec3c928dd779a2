import type { Admin, BrokerTab, ClusterView, Kafka } from "../index.ts";
import { adviceFor } from "../inspector/advice.ts";
import { BrokerBanner } from "../inspector/broker-banner.ts";
import { ClusterPicture } from "../inspector/cluster-picture.ts";
import { button, element, paced, setText } from "../inspector/element.ts";
import { count, milliseconds, perSecond } from "../inspector/figures.ts";
import { GroupList } from "../inspector/group-list.ts";
import { LinkList } from "../inspector/link-list.ts";
import { NumberStrip } from "../inspector/number-strip.ts";
import type { Figure } from "../inspector/number-strip.ts";
import { PartitionTable } from "../inspector/partition-table.ts";
import { ProduceForm } from "../inspector/produce-form.ts";
import { isInternal, profileNames, replicaGrid } from "../inspector/replica-grid.ts";
import { StorageCard } from "../inspector/storage-card.ts";
import { TopicList } from "../inspector/topic-list.ts";
import type { TopicActions } from "../inspector/topic-list.ts";
import { TopicTail } from "../inspector/topic-tail.ts";
import type { ReadBatch } from "../inspector/topic-reader.ts";
import type { Observations } from "./observations.ts";
import type { ConsumedQuake } from "./earthquakes.ts";
import type { Outline } from "./land.ts";
import { MagnitudeStrip } from "./magnitude-strip.ts";
import { QuakeMap } from "./quake-map.ts";
import { EARTHQUAKES, ReplayPanel } from "./replay-panel.ts";
import type { Session } from "./session.ts";
import { at, byTestId, pageAddress } from "./this-tab.ts";

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
  readonly #stop = button("Stop this broker", { "data-testid": "stop-broker" }, () => this.#stopOrStart());
  readonly #crash = button(
    "Crash this tab",
    { class: "danger", "data-testid": "crash-broker", title: "Ends this tab’s broker at once; it tells nobody" },
    () => this.#tab?.crash(),
  );
  readonly #parts: PageParts;
  readonly #topicActions: TopicActions;
  #tab: BrokerTab | undefined;
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
      void navigator.storage
        .persist()
        .then(() => parts.observations.measureStorage())
        .then(this.changed);
    });
    addEventListener("hashchange", () => {
      this.#selected = new URLSearchParams(location.hash.slice(1)).get("topic") ?? undefined;
      this.changed();
    });
    this.changed();
  }

  /** This tab's broker, once it has been started. */
  set tab(tab: BrokerTab) {
    this.#tab = tab;
    this.changed();
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
    at("picture").append(this.#picture);
    at("earthquakes").append(this.#replay, this.#map, this.#magnitudes);
    at("produce").append(this.#form);
    at("records").append(this.#tail);
    at("topics").append(this.#topics);
    at("copies").append(this.#table);
    at("groups").append(this.#groups);
    at("storage").append(this.#storage);
    at("links").append(this.#links);
    at("actions").append(
      button("Open another tab", { class: "primary", "data-testid": "open-tab" }, () => {
        window.open(location.href, "_blank", "noopener");
      }),
      this.#stop,
      this.#crash,
    );
    for (const link of document.querySelectorAll<HTMLAnchorElement>("a[data-page]")) {
      link.href = pageAddress(link.dataset["page"] ?? "");
    }
  }

  #render(): void {
    const { observations, kafka, session } = this.#parts;
    this.#renderHeader();
    this.#banner.show(adviceFor({ ...this.#parts, ...observationsOf(observations) }));
    this.#numbers.show(figuresOf(this.#parts));
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
    const paths = this.#paths();
    const topic = view.topics.find(({ name }) => name === this.#selected);
    const ownId = status?.brokerId ?? -1;
    this.#picture.show({
      grid: replicaGrid(this.#isOver ? withoutBroker(view, ownId) : view, { ownId, topic: this.#selected }),
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

  get #isOver(): boolean {
    const { status, startError } = this.#parts.observations;
    return startError !== undefined || status?.state === "stopped" || status?.state === "failed";
  }

  /** A stopped broker starts again with its page: from the same storage, under the same id. */
  #stopOrStart(): void {
    if (this.#isOver) location.reload();
    else void this.#tab?.stop();
  }

  #renderHeader(): void {
    const { status, view, startError } = this.#parts.observations;
    const state = startError === undefined ? (status?.state ?? "starting") : "failed";
    setText(byTestId("broker-state"), state);
    at("lamp").dataset["state"] = state;
    setText(this.#stop, this.#isOver ? "Start it again" : "Stop this broker");
    this.#stop.disabled = state === "stopping" || (this.#tab === undefined && !this.#isOver);
    this.#crash.hidden = this.#isOver;
    this.#crash.disabled = this.#tab === undefined;
    const id = status?.brokerId ?? -1;
    const profile =
      view === undefined || status === undefined ? undefined : profileNames(view.brokers).get(status.rack);
    at("identity").replaceChildren(
      ...(id < 0 ? [] : [" · broker ", element("b", { "data-testid": "broker-id" }, String(id))]),
      ...(profile === undefined ? [] : [` · profile ${profile}`]),
    );
    document.title = id < 0 ? "Tabstream" : `Broker ${id} · Tabstream`;
  }

  /** How each broker is reached, by its id; brokers are told apart by the peer id of their tab. */
  #paths(): ReadonlyMap<number, string> {
    const links = this.#tab?.linkPaths() ?? [];
    // A direct link counts for more than a relayed one that is about to be given up.
    const paths = new Map(links.map(({ peer, path }) => [peer, path]));
    for (const { peer, path } of links) if (path === "direct") paths.set(peer, path);
    const brokers = this.#parts.observations.view?.brokers ?? [];
    return new Map(
      brokers.flatMap(({ nodeId, host }) => {
        const path = paths.get(host);
        return path === undefined ? [] : [[nodeId, path] as const];
      }),
    );
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

function figuresOf({ session, observations }: PageParts): readonly Figure[] {
  const { acknowledged, readBack, lost } = session.ledger.counts;
  return [
    {
      name: "Acknowledged",
      value: count(session.acknowledged),
      meaning: "Records of this page that the leader, or all in-sync copies, have acknowledged",
      testId: "acked-count",
    },
    {
      name: "Then read back",
      value: count(readBack),
      meaning: `Of ${count(acknowledged)} acknowledged by all in-sync copies: read again at their offset, unchanged`,
      testId: "read-back-count",
    },
    {
      name: "Then lost",
      value: count(lost),
      meaning: "Acknowledged by all in-sync copies, and not there when read back. Must stay 0",
      tone: lost === 0 ? "good" : "bad",
      testId: "lost-count",
    },
    {
      name: "Records/s here",
      value: perSecond(observations.rate),
      meaning: "Records per second written to this tab's copies",
      testId: "records-per-second",
    },
    {
      name: "Produce p50",
      value: milliseconds(session.latencies.percentile(0.5)),
      meaning: "Half of this page's newest 1,000 records were acknowledged within this time",
    },
    {
      name: "Produce p99",
      value: milliseconds(session.latencies.percentile(0.99)),
      meaning: "99 of 100 of this page's newest 1,000 records were acknowledged within this time",
    },
    {
      name: "Failover gap",
      value: milliseconds(session.failover.longestMs),
      meaning: "The longest time without an acknowledgement, while one was waited for, around a change of leaders",
      testId: "failover-gap",
    },
  ];
}
