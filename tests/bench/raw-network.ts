import type { Page } from "playwright";
import type { ChainOptions } from "./pages/raw-chain.ts";

const MIB = 1 << 20;

/** Bare data channels between the workers of bench pages, each pair introduced to each other once. */
export class RawNetwork {
  readonly #connected = new Set<string>();

  /** MiB/s from one page to another, from the first send until the last byte has arrived. */
  async stream(from: NamedPage, to: NamedPage, totalBytes: number, messageBytes: number): Promise<number> {
    const name = await this.#connect(from, to);
    await expect(to, name, totalBytes, messageBytes);
    const startMs = await send(from, name, totalBytes, messageBytes);
    return totalBytes / MIB / (((await received(to, name)) - startMs) / 1000);
  }

  /** MiB/s of a stream that `via` sends on to each of `targets`, until the last byte is with all of them. */
  async forwarded(
    from: NamedPage,
    via: NamedPage,
    targets: readonly NamedPage[],
    totalBytes: number,
    messageBytes: number,
  ): Promise<number> {
    const name = await this.#connect(from, via);
    const onward = await Promise.all(targets.map((target) => this.#connect(via, target)));
    const ends = targets.map((target, index) => ({ target, channel: onward[index] ?? "" }));
    await Promise.all(ends.map(({ target, channel }) => expect(target, channel, totalBytes, messageBytes)));
    const route = { incoming: name, outgoing: onward };
    await via.page.evaluate(({ incoming, outgoing }) => window.bench.raw.forward(incoming, outgoing), route);
    const startMs = await send(from, name, totalBytes, messageBytes);
    const endsMs = await Promise.all(ends.map(({ target, channel }) => received(target, channel)));
    return totalBytes / MIB / ((Math.max(...endsMs) - startMs) / 1000);
  }

  /** Milliseconds of each of so many messages of 1 KiB there and back. */
  async roundTrips(from: NamedPage, to: NamedPage, count: number): Promise<number[]> {
    const name = await this.#connect(from, to);
    await to.page.evaluate((channel) => window.bench.raw.echo(channel), name);
    const options = [name, count] as const;
    return await from.page.evaluate((wanted) => window.bench.raw.roundTrips(...wanted), options);
  }

  /** Milliseconds of each message from `from` to `via`, stored there and with all `targets`, and back. */
  async chain(
    from: NamedPage,
    via: NamedPage,
    targets: readonly NamedPage[],
    options: ChainOptions,
  ): Promise<number[]> {
    const name = await this.#connect(from, via);
    const onward = await Promise.all(targets.map((target) => this.#connect(via, target)));
    await Promise.all(
      targets.map(({ page }, index) =>
        page.evaluate((channel) => window.bench.raw.follow(channel), onward[index] ?? ""),
      ),
    );
    const route = { incoming: name, outgoing: onward };
    await via.page.evaluate(({ incoming, outgoing }) => window.bench.raw.lead(incoming, outgoing), route);
    const wanted = [name, options] as const;
    return await from.page.evaluate((chain) => window.bench.raw.chain(...chain), wanted);
  }

  async #connect(from: NamedPage, to: NamedPage): Promise<string> {
    const name = `${from.name} to ${to.name}`;
    if (this.#connected.has(name)) return name;
    const offer = await from.page.evaluate((channel) => window.bench.raw.offer(channel), name);
    const offered = [name, offer] as const;
    const answer = await to.page.evaluate((description) => window.bench.raw.answer(...description), offered);
    const answered = [name, answer] as const;
    await from.page.evaluate((description) => window.bench.raw.accept(...description), answered);
    this.#connected.add(name);
    return name;
  }
}

/** A bench page under the name by which the others know it. */
export interface NamedPage {
  readonly name: string;
  readonly page: Page;
}

async function send({ page }: NamedPage, name: string, totalBytes: number, messageBytes: number): Promise<number> {
  return await page.evaluate((options) => window.bench.raw.send(...options), [name, totalBytes, messageBytes] as const);
}

async function expect({ page }: NamedPage, name: string, totalBytes: number, messageBytes: number): Promise<void> {
  await page.evaluate((options) => window.bench.raw.expect(...options), [name, totalBytes, messageBytes] as const);
}

async function received({ page }: NamedPage, name: string): Promise<number> {
  return await page.evaluate((channel) => window.bench.raw.received(channel), name);
}
