const EARTHQUAKES = new URL("../../../node_modules/vega-datasets/data/earthquakes.json", import.meta.url);

/** Random bytes, or the earthquakes of the demo as JSON. */
export type CorpusKind = "random" | "json";

export interface CorpusShape {
  readonly kind: CorpusKind;
  readonly records: number;
  /** Of each record; JSON has the sizes that it has, about 700 bytes. */
  readonly recordBytes: number;
}

const RANDOM_CALL_BYTES = 65_536;

/**
 * The values that a round produces, made before its clock starts. Each one says which it is, so that no two are alike:
 * the first four bytes of random ones, the first field of JSON.
 */
export class Corpus {
  readonly records: number;
  readonly bytes: number;
  readonly #buffer: Uint8Array<ArrayBuffer>;
  readonly #starts: Float64Array;

  private constructor(buffer: Uint8Array<ArrayBuffer>, starts: Float64Array) {
    this.records = starts.length - 1;
    this.bytes = starts[this.records]!;
    this.#buffer = buffer;
    this.#starts = starts;
  }

  static async make({ kind, records, recordBytes }: CorpusShape): Promise<Corpus> {
    return kind === "random" ? randomCorpus(records, recordBytes) : jsonCorpus(records);
  }

  static of(values: readonly Uint8Array[]): Corpus {
    const starts = new Float64Array(values.length + 1);
    values.forEach((value, index) => (starts[index + 1] = starts[index]! + value.length));
    const buffer = new Uint8Array(starts[values.length]!);
    values.forEach((value, index) => buffer.set(value, starts[index]!));
    return new Corpus(buffer, starts);
  }

  static ofOneSize(buffer: Uint8Array<ArrayBuffer>, recordBytes: number): Corpus {
    const starts = Float64Array.from({ length: buffer.length / recordBytes + 1 }, (_, index) => index * recordBytes);
    return new Corpus(buffer, starts);
  }

  /** A view: nothing is copied. */
  value(index: number): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(this.#starts[index]!, this.#starts[index + 1]!);
  }

  /** Whether `bytes` are those of the record of that index, every one of them. */
  holds(index: number, bytes: Uint8Array | null): boolean {
    if (bytes === null || index < 0 || index >= this.records) return false;
    const start = this.#starts[index]!;
    if (bytes.length !== this.#starts[index + 1]! - start) return false;
    for (let at = 0; at < bytes.length; at++) if (bytes[at] !== this.#buffer[start + at]) return false;
    return true;
  }
}

function randomCorpus(records: number, recordBytes: number): Corpus {
  const buffer = new Uint8Array(records * recordBytes);
  for (let at = 0; at < buffer.length; at += RANDOM_CALL_BYTES) {
    crypto.getRandomValues(buffer.subarray(at, at + RANDOM_CALL_BYTES));
  }
  const view = new DataView(buffer.buffer);
  for (let index = 0; index < records; index++) view.setUint32(index * recordBytes, index);
  return Corpus.ofOneSize(buffer, recordBytes);
}

async function jsonCorpus(records: number): Promise<Corpus> {
  const response = await fetch(EARTHQUAKES);
  const { features } = (await response.json()) as { readonly features: readonly object[] };
  const encoder = new TextEncoder();
  const json = (index: number) => JSON.stringify({ sequence: index, ...features[index % features.length] });
  return Corpus.of(Array.from({ length: records }, (_, index) => encoder.encode(json(index))));
}
