import { MOST_SAVED_BYTES, parseSavedRun } from "../../../tests/simulation/saved-run.ts";
import type { SavedRun } from "../../../tests/simulation/saved-run.ts";
import { reasonOf } from "../../inspector/reason.ts";
import { MOST_SECONDS, RefusedAddress } from "./address.ts";

/** A saved run in the fragment of an address: `schedule=` and the text, deflated, in the alphabet of URLs. */
const PREFIX = "schedule=";
const MOST_PACKED = 400_000;

export async function packSchedule(text: string): Promise<string> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const packed = new Uint8Array(await new Response(stream).arrayBuffer());
  const characters = Array.from(packed, (byte) => String.fromCharCode(byte)).join("");
  return PREFIX + btoa(characters).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Throws a `RefusedAddress` for whatever is not a saved run of this version. */
export async function unpackSchedule(packed: string): Promise<SavedRun> {
  try {
    if (!packed.startsWith(PREFIX)) throw new Error(`it does not begin with ${PREFIX}`);
    if (packed.length > MOST_PACKED) throw new Error(`it has ${packed.length} characters, of at most ${MOST_PACKED}`);
    const characters = atob(packed.slice(PREFIX.length).replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(characters, (character) => character.charCodeAt(0));
    const saved = parseSavedRun(await inflated(bytes));
    if (saved.seconds > MOST_SECONDS) throw new Error(`seconds is ${saved.seconds}, of at most ${MOST_SECONDS} here`);
    return saved;
  } catch (error) {
    throw new RefusedAddress(`The part of the address behind # is no schedule that can be run: ${reasonOf(error)}`);
  }
}

/** Stops at the limit: a few bytes can stand for very many. */
async function inflated(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const reader = stream.getReader();
  let text = "";
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.length;
    if (size > MOST_SAVED_BYTES) {
      await reader.cancel();
      throw new Error(`it stands for more than ${MOST_SAVED_BYTES} bytes`);
    }
    text += decoder.decode(part.value, { stream: true });
  }
  return text + decoder.decode();
}
