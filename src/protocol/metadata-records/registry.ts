import { CorruptMessageError, UnsupportedVersionError } from "../errors.ts";
import { Reader } from "../reader.ts";
import type { Decoded, Encodable } from "../schema.ts";
import { encode } from "../writer.ts";
import { registerBrokerRecord } from "./00-register-broker.ts";
import { unregisterBrokerRecord } from "./01-unregister-broker.ts";
import { topicRecord } from "./02-topic.ts";
import { partitionRecord } from "./03-partition.ts";
import { configRecord } from "./04-config.ts";
import { partitionChangeRecord } from "./05-partition-change.ts";
import { fenceBrokerRecord } from "./07-fence-broker.ts";
import { unfenceBrokerRecord } from "./08-unfence-broker.ts";
import { removeTopicRecord } from "./09-remove-topic.ts";
import { producerIdsRecord } from "./15-producer-ids.ts";
import { brokerRegistrationChangeRecord } from "./17-broker-registration-change.ts";
import { noOpRecord } from "./20-no-op.ts";
import { storageIdentityRecord } from "./10000-storage-identity.ts";
import { clusterRecord } from "./10001-cluster.ts";
import type { MetadataRecordSchema } from "./metadata-record.ts";

/**
 * The records of the metadata log. Each is the value of a record in a batch, framed as KRaft frames them: the version
 * of the frame, the key of the kind, the version of the kind, and the fields.
 */
const FRAME_VERSION = 1;

const schemas = [
  registerBrokerRecord,
  unregisterBrokerRecord,
  topicRecord,
  partitionRecord,
  configRecord,
  partitionChangeRecord,
  fenceBrokerRecord,
  unfenceBrokerRecord,
  removeTopicRecord,
  producerIdsRecord,
  brokerRegistrationChangeRecord,
  noOpRecord,
  storageIdentityRecord,
  clusterRecord,
] as const;

type Schema = (typeof schemas)[number];

/** A decoded record: its kind in `type`, and all its fields. */
export type MetadataRecord = { [S in Schema as S["name"]]: { readonly type: S["name"] } & Decoded<S> }[Schema["name"]];

/** A record to encode: fields with a fallback may be left out. */
export type MetadataRecordInit = {
  [S in Schema as S["name"]]: { readonly type: S["name"] } & Encodable<S>;
}[Schema["name"]];

/** The record of one kind, as in `MetadataRecordOf<"TopicRecord">`. */
export type MetadataRecordOf<Type extends MetadataRecord["type"]> = Extract<MetadataRecord, { readonly type: Type }>;

/** Every kind by its key. */
export const metadataRecordSchemas: ReadonlyMap<number, MetadataRecordSchema> = new Map(
  schemas.map((schema) => [schema.key, schema as MetadataRecordSchema]),
);

const schemaByName: ReadonlyMap<string, MetadataRecordSchema> = new Map(
  schemas.map((schema) => [schema.name, schema as MetadataRecordSchema]),
);

/** Encodes a record, in the newest version of its kind unless told otherwise. */
export function encodeMetadataRecord(record: MetadataRecordInit, version?: number): Uint8Array<ArrayBuffer> {
  const schema = schemaByName.get(record.type)!;
  const used = version ?? schema.versions[1];
  const codec = schema.codec(used);
  return encode((writer) => {
    writer.unsignedVarint(FRAME_VERSION);
    writer.unsignedVarint(schema.key);
    writer.unsignedVarint(used);
    codec.write(writer, record);
  });
}

/** Decodes a record; throws CorruptMessageError for a kind that is not known. */
export function decodeMetadataRecord(bytes: Uint8Array): MetadataRecord {
  const reader = new Reader(bytes);
  const frameVersion = reader.unsignedVarint();
  if (frameVersion !== FRAME_VERSION) {
    throw new UnsupportedVersionError("metadata record frame", frameVersion, [FRAME_VERSION, FRAME_VERSION]);
  }
  const key = reader.unsignedVarint();
  const schema = metadataRecordSchemas.get(key);
  if (schema === undefined) throw new CorruptMessageError(`no metadata record has the key ${key}`);
  const fields = schema.codec(reader.unsignedVarint()).read(reader) as object;
  reader.expectEnd();
  return { type: schema.name, ...fields } as MetadataRecord;
}
