/** The peers are installed by the bench itself, apart from our own packages, so the compiler does not know them. */
declare module "@durable-streams/client";
declare module "@nats-io/jetstream";
declare module "@nats-io/nats-core";
declare module "rxdb";
declare module "rxdb/plugins/replication-webrtc";
declare module "rxdb/plugins/storage-dexie";
declare module "@trystero-p2p/nostr";
declare module "y-indexeddb";
declare module "y-webrtc";
declare module "yjs";
