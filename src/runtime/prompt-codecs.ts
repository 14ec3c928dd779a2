import type { CompressionCodec } from "../protocol/compression/codec.ts";
import { loadCodec } from "../protocol/compression/codecs.ts";
import type { Clock } from "./clock.ts";

type Load = typeof loadCodec;

const PATIENCE_MS = 2_000;

/**
 * Loads codecs for those whom others wait for. A codec is a file, which may be long in coming when the server cannot be
 * reached: then it is refused, and from there on at once, until it has come.
 */
export function promptCodecs(clock: Clock, load: Load = loadCodec): Load {
  const loaded = new Map<unknown, CompressionCodec>();
  const late = new Set<unknown>();
  return async (codec) => {
    const known = loaded.get(codec);
    if (known !== undefined) return known;
    return new Promise((resolve, reject) => {
      const cancel = clock.setTimer(late.has(codec) ? 0 : PATIENCE_MS, () => {
        late.add(codec);
        reject(new Error(`the codec did not load within ${PATIENCE_MS} ms`));
      });
      load(codec)
        .then((found) => {
          loaded.set(codec, found);
          resolve(found);
        }, reject)
        .finally(() => {
          late.delete(codec);
          cancel();
        });
    });
  };
}
