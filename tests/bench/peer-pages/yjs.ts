import { IndexeddbPersistence } from "y-indexeddb";
import { WebrtcProvider } from "y-webrtc";
import * as Y from "yjs";
import type { JoinOptions, Shared } from "./peers.ts";

/** An array of a document that y-webrtc replicates and y-indexeddb stores. */
export async function joinDocument({ name, signalingUrl }: JoinOptions): Promise<Shared> {
  const document = new Y.Doc();
  const stored = new IndexeddbPersistence(name, document);
  await stored.whenSynced;
  void new WebrtcProvider(name, document, { signaling: [signalingUrl] });
  const array = document.getArray("records");
  return {
    async write(values) {
      // One transaction for each record, as for records that come one by one.
      for (const value of values) array.push([value]);
    },
    count: async () => array.length,
    values: async () => array.toArray(),
  };
}
