import { allocateProducerIds } from "../protocol/apis/67-allocate-producer-ids.ts";
import { errorName } from "../protocol/error-codes.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import type { ControllerRequests } from "./controller-requests.ts";

/** Called with a fresh producer id, or with why there is none at present. */
type Receiver = (producerId: number | ErrorName) => void;

/**
 * Producer ids from blocks that the controller hands out, so that no id is ever given twice (KIP-98). The next block is
 * fetched while half of the last one is left, so that producers can start while the controller is away.
 */
export class ProducerIds {
  readonly #requests: ControllerRequests;
  #next = 0;
  #end = 0;
  #blockSize = 0;
  #asking = false;
  #waiting: Receiver[] = [];

  constructor(requests: ControllerRequests) {
    this.#requests = requests;
  }

  take(brokerId: number, brokerEpoch: number, receiver: Receiver): void {
    this.#waiting.push(receiver);
    this.#serve();
    this.refill(brokerId, brokerEpoch);
  }

  refill(brokerId: number, brokerEpoch: number): void {
    if (this.#asking || (this.#end - this.#next) * 2 > this.#blockSize) return;
    this.#asking = true;
    this.#requests.ask(
      allocateProducerIds,
      0,
      { brokerId, brokerEpoch },
      ({ errorCode, producerIdStart, producerIdLen }) => {
        this.#asking = false;
        const error = errorName(errorCode);
        if (error !== "NONE") return this.#refuse(error);
        // What is left of the old block is given up: ids are plenty, and one block is simpler than two.
        this.#next = producerIdStart;
        this.#end = producerIdStart + producerIdLen;
        this.#blockSize = producerIdLen;
        this.#serve();
      },
      () => {
        this.#asking = false;
        this.#refuse("COORDINATOR_NOT_AVAILABLE");
      },
    );
  }

  #serve(): void {
    while (this.#next < this.#end) {
      const receiver = this.#waiting.shift();
      if (receiver === undefined) return;
      receiver(this.#next++);
    }
  }

  #refuse(error: ErrorName): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const receiver of waiting) receiver(error);
  }
}
