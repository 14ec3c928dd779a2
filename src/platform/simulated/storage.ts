import type { Durability, StorageIdentity } from "../../broker/storage-identity.ts";
import type { StoreOperation } from "../../log/stored-log.ts";
import type { Chance } from "./chance.ts";
import { StoredLogs } from "./stored-logs.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** All that a storage directory holds, at one moment. */
export interface DirectoryImage {
  readonly identity: StorageIdentity;
  readonly logs: StoredLogs;
}

interface Transaction {
  readonly change: (image: DirectoryImage) => DirectoryImage;
  readonly durability: Durability;
  readonly done: () => void;
  readonly failed: (reason: string) => void;
}

/**
 * One tab's database. Transactions become complete in order. A crash of the tab leaves those that were complete and,
 * perhaps, some that were under way; a loss of power also takes relaxed ones back that no strict one has followed. Only
 * who opened it last can write.
 */
export class SimulatedStorage {
  readonly #time: VirtualTime;
  readonly #chance: Chance;
  #complete: DirectoryImage;
  #flushed: DirectoryImage;
  /** Complete and not flushed, oldest first. */
  #unflushed: DirectoryImage[] = [];
  #underWay: Transaction[] = [];
  /** Counts how often the database was opened: a transaction of an earlier opening does nothing. */
  #opening = 0;
  #stalledUntilUs = 0;
  #slowMs = 0;
  #failure: string | undefined;
  #busy = false;

  constructor(time: VirtualTime, chance: Chance, image: DirectoryImage) {
    this.#time = time;
    this.#chance = chance;
    this.#complete = image;
    this.#flushed = image;
  }

  /** What a tab that opens the database finds. */
  get image(): DirectoryImage {
    return this.#complete;
  }

  /** Becomes the one writer: transactions of whoever had it open before fail from now on (B4). */
  open(): number {
    this.#forgetTransactions();
    return this.#opening;
  }

  write(
    opening: number,
    operations: readonly StoreOperation[],
    durability: Durability,
    done: () => void,
    failed: Transaction["failed"],
  ): void {
    const effective = this.#complete.identity.durability === "relaxed" ? "relaxed" : durability;
    this.#enqueue(opening, {
      change: ({ identity, logs }) => ({ identity, logs: logs.apply(operations) }),
      durability: effective,
      done,
      failed,
    });
  }

  saveIdentity(
    opening: number,
    identity: StorageIdentity,
    done: () => void,
    failed: Transaction["failed"],
  ): void {
    this.#enqueue(opening, { change: ({ logs }) => ({ identity, logs }), durability: "strict", done, failed });
  }

  /** Every transaction takes longer by so much; 0 ends that. */
  slowDown(ms: number): void {
    this.#slowMs = ms;
  }

  /** Nothing becomes complete for a while. */
  stall(ms: number): void {
    this.#stalledUntilUs = Math.max(this.#stalledUntilUs, this.#time.nowUs + ms * 1000);
  }

  /** From now on every transaction fails, as when the quota is used up, until the database is opened anew. */
  failFromNowOn(reason: string): void {
    this.#failure = reason;
  }

  /** The tab is gone: what was under way may have made it to the disk, in order, or not. */
  crash(opening: number): void {
    if (opening !== this.#opening) return;
    for (const { change } of this.#underWay) {
      if (this.#failure !== undefined || this.#chance.permille(500)) break;
      this.#commit(change(this.#complete), "relaxed");
    }
    this.#forgetTransactions();
  }

  /** The machine is gone as well. Says whether complete transactions are lost. */
  losePower(): boolean {
    const unflushed = this.#unflushed.length;
    const kept = this.#chance.below(unflushed + 1);
    this.#complete = kept === 0 ? this.#flushed : this.#unflushed[kept - 1]!;
    this.#flushed = this.#complete;
    this.#unflushed = [];
    this.#forgetTransactions();
    return kept < unflushed;
  }

  /** Another image takes the place of this one: a backup, a clone, or an empty directory. */
  replace(image: DirectoryImage): void {
    this.#complete = image;
    this.#flushed = image;
    this.#unflushed = [];
    this.#forgetTransactions();
  }

  #forgetTransactions(): void {
    this.#opening++;
    this.#underWay = [];
    this.#busy = false;
    this.#failure = undefined;
  }

  #enqueue(opening: number, transaction: Transaction): void {
    if (opening !== this.#opening) {
      return this.#time.after(1, () => transaction.failed("another tab has opened this storage directory"));
    }
    this.#underWay.push(transaction);
    if (!this.#busy) this.#next();
  }

  #next(): void {
    const transaction = this.#underWay[0];
    this.#busy = transaction !== undefined;
    if (transaction === undefined) return;
    const opening = this.#opening;
    const usualMs = this.#chance.between(2, transaction.durability === "strict" ? 80 : 20) / 10;
    const slowMs = this.#chance.permille(5) ? this.#chance.between(50, 500) : 0;
    const stalledMs = Math.max(0, (this.#stalledUntilUs - this.#time.nowUs) / 1000);
    this.#time.after(stalledMs + this.#slowMs + usualMs + slowMs, () => {
      if (opening === this.#opening) this.#finish();
    });
  }

  #finish(): void {
    const { change, durability, done, failed } = this.#underWay.shift()!;
    const failure = this.#failure;
    if (failure === undefined) this.#commit(change(this.#complete), durability);
    this.#next();
    if (failure === undefined) done();
    else failed(failure);
  }

  #commit(image: DirectoryImage, durability: Durability): void {
    this.#complete = image;
    if (durability === "relaxed") return void this.#unflushed.push(image);
    this.#flushed = image;
    this.#unflushed = [];
  }
}
