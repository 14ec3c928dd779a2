import { offsetFetch } from "../../src/protocol/apis/09-offset-fetch.ts";
import type { Chance } from "../../src/platform/simulated/chance.ts";
import type { ClientContext } from "./broker-links.ts";
import { CoordinatorLink } from "./coordinator-link.ts";

const EVERY_MS = 150;

/**
 * Somebody outside of a group who asks how far it has read, as pages that show a lag do: also while offsets are being
 * committed, which members hardly ever do. The oracle looks at the answers.
 */
export class OffsetsOnlooker {
  readonly #groupId: string;
  readonly #topic: string;
  readonly #context: ClientContext;
  readonly #link: CoordinatorLink;
  #questions = 0;

  constructor(groupId: string, topic: string, context: ClientContext, chance: Chance, mark: (name: string) => void) {
    this.#groupId = groupId;
    this.#topic = topic;
    this.#context = context;
    this.#link = new CoordinatorLink(`${groupId}-onlooker`, topic, groupId, context, chance, mark);
    this.#ask();
  }

  #ask(): void {
    const isAboutAll = this.#questions++ % 2 === 0;
    this.#link.ask({
      api: offsetFetch,
      version: 9,
      body: () => {
        const topics = isAboutAll ? null : [{ name: this.#topic, partitionIndexes: this.#partitions() }];
        return { groups: [{ groupId: this.#groupId, topics }], requireStable: this.#questions % 4 < 2 };
      },
      errorOf: ({ groups }) => groups[0]!.errorCode,
      answered: () => this.#context.time.after(EVERY_MS, () => this.#ask()),
      matters: () => true,
    });
  }

  #partitions(): number[] {
    const partitions: number[] = [];
    while (this.#context.decidedEpoch(this.#topic, partitions.length) >= 0) partitions.push(partitions.length);
    return partitions;
  }
}
