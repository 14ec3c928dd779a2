import type { Admin, BrokerStatus, BrokerTab, ClusterView, Kafka } from "../../index.ts";
import { adviceFor } from "../../inspector/advice.ts";
import { BrokerBanner } from "../../inspector/broker-banner.ts";
import { button, element, paced } from "../../inspector/element.ts";
import { GroupPicture } from "../../inspector/group-picture.ts";
import { GroupStateLine } from "../../inspector/group-state-line.ts";
import type { ReaderActed } from "../../inspector/group-view.ts";
import { NumberStrip } from "../../inspector/number-strip.ts";
import { RebalanceList } from "../../inspector/rebalance-list.ts";
import { visibleText } from "../../inspector/visible-text.ts";
import { showBrokerState } from "../broker-state.ts";
import { at, missingFeatures, pageAddress, server } from "../this-tab.ts";
import { GroupActions } from "./group-actions.ts";
import { DEFAULT_READ_RATE, DEFAULT_WRITE_RATE, GroupControls } from "./group-controls.ts";
import { GroupFigures } from "./group-figures.ts";
import { GroupHistory } from "./group-history.ts";
import { adviceForGroup } from "./group-advice.ts";
import { groupView, lanesView, momentOf, rebalanceViews } from "./group-views.ts";
import type { GroupKnowledge } from "./group-views.ts";
import { GroupWatch } from "./group-watch.ts";
import type { ProtocolName } from "./member-messages.ts";
import { sharedNow } from "./member-messages.ts";
import { OrderWriter } from "./order-writer.ts";
import { OwnReaders, READERS_MAX } from "./own-readers.ts";
import type { OwnReader } from "./own-readers.ts";
import { ReaderLanes } from "./reader-lanes.ts";
import { Roster } from "./roster.ts";
import type { GroupAnswer } from "./who-reads.ts";

const NAME_CHARACTERS = 60;
/** A group forgets a reader that was killed only after this page has asked once more. */
const ASK_AFTER_KILL_MS = 500;

const PROTOCOLS: ReadonlyMap<string, ProtocolName> = new Map([
  ["cooperative-sticky", "cooperativeSticky"],
  ["range", "range"],
  ["RoundRobinAssigner", "roundRobin"],
  ["sticky", "sticky"],
]);

/** The page of one group: asks, draws, and lets readers come and go. */
export class GroupPage {
  readonly changed = paced(() => this.#render());
  status: BrokerStatus | undefined;
  startError: string | undefined;
  view: ClusterView | undefined;
  readonly #groupId: string;
  readonly #ownTopic: string;
  readonly #watch: GroupWatch;
  readonly #own: OwnReaders;
  readonly #writer: OrderWriter;
  readonly #actions: GroupActions;
  readonly #history = new GroupHistory();
  readonly #roster = new Roster();
  readonly #figures = new GroupFigures();
  readonly #banner = new BrokerBanner();
  readonly #numbers = new NumberStrip();
  readonly #controls = new GroupControls();
  readonly #state = new GroupStateLine();
  readonly #picture = new GroupPicture();
  readonly #lanes = new ReaderLanes();
  readonly #rebalances = new RebalanceList();
  readonly #choice = element("select", { "data-testid": "group" });

  constructor(kafka: Kafka, admin: Admin, address: { readonly groupId: string; readonly topic: string }) {
    this.#groupId = address.groupId;
    this.#ownTopic = address.topic;
    this.#watch = new GroupWatch(
      admin,
      { groupId: address.groupId, ownTopic: address.topic, exists: (topic) => this.#actions.partitionsOf(topic) > 0 },
      () => this.#onAnswer(),
    );
    this.#own = new OwnReaders(DEFAULT_READ_RATE, (reader) => this.#onReader(reader));
    this.#writer = new OrderWriter(kafka, DEFAULT_WRITE_RATE, () => this.changed());
    this.#actions = new GroupActions({
      admin,
      groupId: address.groupId,
      ownTopic: address.topic,
      watch: this.#watch,
      own: this.#own,
      writer: this.#writer,
      view: () => this.view,
      changed: this.changed,
    });
    document.title = `${visibleText(address.groupId, NAME_CHARACTERS)} · Tabstream`;
    this.#mount();
    this.#listen();
    this.changed();
  }

  /** Asks about the group from now on; the admin client is connected. */
  run(): void {
    this.#watch.run();
  }

  set tab(tab: BrokerTab) {
    this.status = tab.status();
    tab.onStatus((status) => {
      this.status = status;
      this.changed();
    });
    this.changed();
  }

  #mount(): void {
    at("banner").append(this.#banner);
    at("controls").append(this.#controls);
    at("numbers").append(this.#numbers);
    at("picture").append(this.#state, this.#picture);
    at("lanes").append(this.#lanes);
    at("rebalances").append(this.#rebalances);
    at("actions").append(
      element("label", {}, "Group", this.#choice),
      button("Open another tab", { "data-testid": "open-tab" }, () => {
        window.open(location.href, "_blank", "noopener");
      }),
    );
    for (const link of document.querySelectorAll<HTMLAnchorElement>("a[data-page]")) {
      link.href = pageAddress(link.dataset["page"] ?? "");
    }
  }

  #listen(): void {
    this.#choice.addEventListener("change", () => {
      location.assign(pageAddress("group.html", { group: this.#choice.value }));
    });
    this.#controls.addEventListener("write-asked", () => void this.#actions.startOrStop());
    this.#controls.addEventListener("reader-asked", () => void this.#actions.addReader());
    this.#controls.addEventListener("write-rate", (event) => {
      this.#writer.recordsPerSecond = (event as CustomEvent<number>).detail;
    });
    this.#controls.addEventListener("read-rate", (event) => {
      this.#own.recordsPerSecond = (event as CustomEvent<number>).detail;
    });
    this.#controls.addEventListener("protocol-chosen", (event) => {
      void this.#actions.choose((event as CustomEvent<ProtocolName>).detail);
    });
    this.#picture.addEventListener("reader-acted", (event) => {
      const { key, action } = (event as CustomEvent<ReaderActed>).detail;
      if (action === "remove") this.#own.remove(key);
      if (action === "kill") this.#own.kill(key);
      if (action === "freeze") this.#own.freeze(key);
    });
  }

  #onAnswer(): void {
    const { answer } = this.#watch;
    for (const { clientId, killedMs } of this.#own.all) {
      if (answer === undefined || killedMs === undefined || answer.askedMs < killedMs + ASK_AFTER_KILL_MS) continue;
      if (!answer.members.some((member) => member.clientId === clientId)) this.#own.forget(clientId);
    }
    this.#note(sharedNow());
  }

  #onReader(reader: OwnReader): void {
    this.#note(reader.report?.atMs ?? sharedNow());
    this.#actions.onReader(reader);
  }

  /** Takes down who reads what. */
  #note(atMs: number): void {
    const knowledge = this.#knowledge();
    this.#roster.note(knowledge.answer?.members ?? [], knowledge.own);
    if (knowledge.answer !== undefined) this.#history.onMoment(momentOf(knowledge, atMs));
    this.changed();
  }

  #knowledge(): GroupKnowledge {
    const { answer, offsets, topics } = this.#watch;
    return {
      groupId: this.#groupId,
      answer,
      offsets,
      own: this.#own.all,
      roster: this.#roster,
      topics: (topics ?? [this.#ownTopic]).map((name) => ({ name, partitions: this.#actions.partitionsOf(name) })),
    };
  }

  #render(): void {
    const knowledge = this.#knowledge();
    const { answer } = knowledge;
    const nowMs = sharedNow();
    showBrokerState(this);
    const situation = {
      server, status: this.status, startError: this.startError, view: this.view,
      missing: missingFeatures(), minIsr: new Map<string, number>(), storage: undefined,
    };
    const group = {
      serverLost: this.view !== undefined && this.status?.controllerConnected === false,
      watchFailure: this.#watch.failure,
      writeFailure: this.#writer.failure,
      own: knowledge.own,
    };
    this.#banner.show([...adviceFor(situation), ...adviceForGroup(group)]);
    const view = groupView(knowledge, this.#history, nowMs);
    this.#picture.show(view);
    this.#figures.note(view, nowMs);
    this.#numbers.show(this.#figures.list(view, this.#history));
    const generation = answer?.epoch ?? Math.max(-1, ...knowledge.own.map(({ report }) => report?.generation ?? -1));
    this.#state.show({
      groupId: this.#groupId,
      state: answer?.state,
      type: answer?.type ?? "classic",
      assignor: answer?.assignor ?? "",
      generation: generation < 0 ? undefined : generation,
    });
    this.#lanes.show(lanesView(knowledge, this.#history, nowMs));
    this.#rebalances.show(rebalanceViews(knowledge, this.#history));
    this.#renderControls(knowledge);
    this.#renderGroups();
  }

  #renderControls({ answer, own }: GroupKnowledge): void {
    const others = answer?.members.filter(({ clientId }) => !own.some((reader) => reader.clientId === clientId)) ?? [];
    // Whoever joins has to agree with those who are there.
    const agreed = others.length > 0 && answer !== undefined ? protocolOf(answer) : undefined;
    if (agreed !== undefined) this.#actions.protocol = agreed;
    const brokers = this.view?.brokers.filter(({ fenced }) => !fenced).length ?? 0;
    const waitsFor = brokers === 0 ? "Waiting for the first broker of the cluster…" : "Asking about the group…";
    const hindrance = brokers === 0 || answer === undefined ? waitsFor : undefined;
    this.#controls.show({
      writing: this.#writer.isOn,
      hindrance,
      canAdd: own.length < READERS_MAX,
      protocol: this.#actions.protocol,
      protocolFixed: others.length > 0,
      outcome: this.#actions.outcome,
    });
  }

  #renderGroups(): void {
    const groups = [...new Set([this.#groupId, ...this.#watch.groups])].sort();
    const isShown = ({ value }: HTMLOptionElement, index: number) => value === groups[index];
    if (groups.length === this.#choice.options.length && [...this.#choice.options].every(isShown)) return;
    this.#choice.replaceChildren(
      ...groups.map((group) => {
        const attributes = { value: group, selected: group === this.#groupId };
        return element("option", attributes, visibleText(group, NAME_CHARACTERS));
      }),
    );
  }
}

function protocolOf({ type, assignor }: GroupAnswer): ProtocolName | undefined {
  return type === "consumer" ? "consumer" : PROTOCOLS.get(assignor);
}
