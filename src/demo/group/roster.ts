import { visibleText } from "../../inspector/visible-text.ts";
import type { AnsweredMember, OwnReaderFacts } from "./who-reads.ts";
import { keyOf, readerNumber } from "./who-reads.ts";

export interface RosterEntry {
  readonly name: string;
  readonly colour: number;
}

const COLOURS = 6;
/** Of members that are gone only the newest are remembered. */
const ENTRIES_MAX = 200;

/** Names and colours of readers, which stay what they are while the page lives. */
export class Roster {
  readonly #entries = new Map<string, RosterEntry>();

  get entries(): ReadonlyMap<string, RosterEntry> {
    return this.#entries;
  }

  note(members: readonly AnsweredMember[], own: readonly OwnReaderFacts[]): void {
    const present = new Set([...members.map((member) => keyOf(member, own)), ...own.map(({ clientId }) => clientId)]);
    for (const member of members) this.#add(keyOf(member, own), member.clientId, present);
    for (const { clientId } of own) this.#add(clientId, clientId, present);
  }

  of(key: string): RosterEntry | undefined {
    return this.#entries.get(key);
  }

  #add(key: string, clientId: string, present: ReadonlySet<string>): void {
    if (this.#entries.has(key)) return;
    const number = readerNumber(clientId);
    const name = number === undefined ? visibleText(clientId === "" ? "no name" : clientId, 24) : `Reader ${number}`;
    this.#entries.set(key, { name, colour: number === undefined ? this.#freeColour(present) : (number - 1) % COLOURS });
    const [oldest] = [...this.#entries.keys()].filter((known) => !present.has(known));
    if (this.#entries.size > ENTRIES_MAX && oldest !== undefined) this.#entries.delete(oldest);
  }

  /** The one that the fewest of those present have; of these the last, since numbered readers begin with the first. */
  #freeColour(present: ReadonlySet<string>): number {
    const used = Array.from({ length: COLOURS }, () => 0);
    for (const [key, { colour }] of this.#entries) if (present.has(key)) used[colour] = (used[colour] ?? 0) + 1;
    return used.lastIndexOf(Math.min(...used));
  }
}
