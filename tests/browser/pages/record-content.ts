/**
 * The records of the browser tests: a value that begins with the name of its send and goes on with random bytes, a
 * random key and a random header. `contentOf` puts every byte of a record into one string that compares with `===`.
 */
export interface RecordBytes {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly nonce: Uint8Array | null;
}

const NAME_LENGTH = 24;
const MOST_RANDOM_BYTES = 200;

export function randomRecord(name: string): RecordBytes & { readonly key: Uint8Array; readonly nonce: Uint8Array } {
  if (name.length > NAME_LENGTH) throw new Error(`the name ${name} is longer than ${NAME_LENGTH} characters`);
  const value = randomBytes(NAME_LENGTH + Math.floor(Math.random() * MOST_RANDOM_BYTES));
  value.set(new TextEncoder().encode(name.padEnd(NAME_LENGTH)));
  return { key: randomBytes(8), value, nonce: randomBytes(4) };
}

export function nameOf({ value }: RecordBytes): string {
  return new TextDecoder().decode(value?.subarray(0, NAME_LENGTH)).trimEnd();
}

export function contentOf({ key, value, nonce }: RecordBytes): string {
  return [key, value, nonce].map((bytes) => (bytes === null ? "null" : hex(bytes))).join("/");
}

function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
