import { createRxDatabase } from "rxdb";
import { getConnectionHandlerSimplePeer, replicateWebRTC } from "rxdb/plugins/replication-webrtc";
import { getRxStorageDexie } from "rxdb/plugins/storage-dexie";
import type { JoinOptions, Shared } from "./peers.ts";

const SCHEMA = {
  version: 0,
  primaryKey: "id",
  type: "object",
  properties: { id: { type: "string", maxLength: 12 }, value: { type: "string" } },
  required: ["id", "value"],
};

/** A collection in IndexedDB that RxDB replicates over WebRTC, as its manual shows it. */
export async function joinDatabase({ name, signalingUrl }: JoinOptions): Promise<Shared> {
  const database = await createRxDatabase({ name, storage: getRxStorageDexie(), multiInstance: false });
  const { records } = await database.addCollections({ records: { schema: SCHEMA } });
  await replicateWebRTC({
    collection: records,
    topic: name,
    connectionHandlerCreator: getConnectionHandlerSimplePeer({ signalingServerUrl: signalingUrl }),
    pull: {},
    push: {},
  });
  return {
    async write(values, from) {
      const documents = values.map((value, index) => ({ id: String(from + index).padStart(8, "0"), value }));
      const { error } = await records.bulkInsert(documents);
      if (error.length > 0) throw new Error(`${error.length} documents were not stored`);
    },
    count: () => records.count().exec(),
    async values() {
      const found: readonly { readonly value: string }[] = await records.find({ sort: [{ id: "asc" }] }).exec();
      return found.map(({ value }) => value);
    },
  };
}
