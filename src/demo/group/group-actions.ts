import type { Admin, ClusterView } from "../../index.ts";
import { reasonOf } from "../../inspector/reason.ts";
import { server } from "../this-tab.ts";
import { DEFAULT_PROTOCOL } from "./group-controls.ts";
import type { GroupWatch } from "./group-watch.ts";
import { LaterReaders } from "./later-readers.ts";
import type { ProtocolName } from "./member-messages.ts";
import type { OrderWriter } from "./order-writer.ts";
import { READERS_MAX } from "./own-readers.ts";
import type { OwnReader, OwnReaders } from "./own-readers.ts";
import { readerNumber } from "./who-reads.ts";

const PARTITIONS = 6;
const READERS_AT_START = 2;
const COPIES = 3;

export interface GroupParts {
  readonly admin: Admin;
  readonly groupId: string;
  readonly ownTopic: string;
  readonly watch: GroupWatch;
  readonly own: OwnReaders;
  readonly writer: OrderWriter;
  readonly view: () => ClusterView | undefined;
  readonly changed: () => void;
}

/** What a visitor does to the group: one thing at a time, and what goes wrong is told beneath the controls. */
export class GroupActions {
  /** Of readers that are added. */
  protocol: ProtocolName = DEFAULT_PROTOCOL;
  readonly #parts: GroupParts;
  readonly #later = new LaterReaders();
  #outcome = { text: "", failed: false };
  #busy = false;

  constructor(parts: GroupParts) {
    this.#parts = parts;
  }

  get outcome(): { readonly text: string; readonly failed: boolean } {
    return this.#outcome;
  }

  partitionsOf(topic: string): number {
    return this.#parts.view()?.topics.find(({ name }) => name === topic)?.partitions.length ?? 0;
  }

  /** Begins or ends to write; whoever begins in a group without readers gets some. */
  startOrStop(): Promise<void> {
    return this.#attempt(async () => {
      const { writer, watch, own, ownTopic } = this.#parts;
      if (writer.isOn) return writer.stop();
      const [topic] = await this.#readyTopics();
      await writer.start(topic ?? ownTopic);
      const members = watch.answer?.members.length ?? 0;
      if (members === 0 && own.all.length === 0) await this.#addReaders(READERS_AT_START);
    });
  }

  addReader(): Promise<void> {
    return this.#attempt(() => this.#addReaders(1));
  }

  /** A group agrees on one protocol, so this page's readers leave and come back with the new one. */
  choose(protocol: ProtocolName): Promise<void> {
    return this.#attempt(async () => {
      const { own } = this.#parts;
      this.protocol = protocol;
      const count = own.all.filter(({ killedMs }) => killedMs === undefined).length;
      if (count === 0) return;
      this.#say("The readers leave, and come back with the new protocol…");
      await own.removeAll();
      await this.#addReaders(count);
      this.#say("");
    });
  }

  /** To be called when a reader of this page has changed. */
  onReader(reader: OwnReader): void {
    if (this.#busy) return;
    const due = this.#later.dueAfter(reader);
    if (due === 0) return;
    void this.#attempt(async () => {
      for (let added = 0; added < due; added++) await this.#addOne();
    });
  }

  async #addReaders(count: number): Promise<void> {
    const first = await this.#addOne();
    if (first !== undefined) this.#later.expect(count - 1, first);
  }

  /** Returns its client id; undefined if the page has its share. */
  async #addOne(): Promise<string | undefined> {
    const { own, watch, groupId } = this.#parts;
    const topics = await this.#readyTopics();
    if (own.all.length >= READERS_MAX) return undefined;
    const taken = new Set(own.all.map(({ number }) => number));
    for (const { clientId } of watch.answer?.members ?? []) taken.add(readerNumber(clientId) ?? 0);
    let number = 1;
    while (taken.has(number)) number++;
    return own.add(number, { server, groupId, topics, protocol: this.protocol });
  }

  /** The topics of the group, of which at least one exists. */
  async #readyTopics(): Promise<readonly string[]> {
    const { admin, watch, ownTopic } = this.#parts;
    const topics = (watch.topics ?? []).filter((topic) => this.partitionsOf(topic) > 0);
    if (topics.length > 0) return topics;
    if (this.partitionsOf(ownTopic) === 0) {
      this.#say(`Creating topic ${ownTopic}…`);
      const topic = { topic: ownTopic, numPartitions: PARTITIONS, replicationFactor: COPIES };
      await admin.createTopics({ topics: [topic] });
      this.#say("");
    }
    return [ownTopic];
  }

  async #attempt(action: () => Promise<void>): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    this.#say("");
    try {
      await action();
    } catch (error) {
      this.#outcome = { text: `That did not work: ${reasonOf(error)} Try again.`, failed: true };
    }
    this.#busy = false;
    this.#parts.changed();
  }

  #say(text: string): void {
    this.#outcome = { text, failed: false };
    this.#parts.changed();
  }
}
