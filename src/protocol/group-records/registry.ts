import { decodeVersioned, encodeVersioned } from "../envelope.ts";
import { CorruptMessageError } from "../errors.ts";
import { Reader } from "../reader.ts";
import type { Decoded, Encodable } from "../schema.ts";
import { offsetCommitRecord } from "./01-offset-commit.ts";
import { groupMetadataRecord } from "./02-group-metadata.ts";
import { consumerGroupMetadataRecord } from "./03-consumer-group-metadata.ts";
import { consumerGroupPartitionMetadataRecord } from "./04-consumer-group-partition-metadata.ts";
import { consumerGroupMemberMetadataRecord } from "./05-consumer-group-member-metadata.ts";
import { consumerGroupTargetAssignmentMetadataRecord } from "./06-consumer-group-target-assignment-metadata.ts";
import { consumerGroupTargetAssignmentMemberRecord } from "./07-consumer-group-target-assignment-member.ts";
import { consumerGroupCurrentMemberAssignmentRecord } from "./08-consumer-group-current-member-assignment.ts";
import { consumerGroupRegularExpressionRecord } from "./16-consumer-group-regular-expression.ts";
import type { GroupRecordSchema } from "./group-record.ts";

/**
 * The records of the topic `__consumer_offsets`. Key and value each begin with a version of two bytes; that of the key
 * names the kind of record. A null value is a tombstone: what the key names is gone.
 */
const schemas = [
  offsetCommitRecord,
  groupMetadataRecord,
  consumerGroupMetadataRecord,
  consumerGroupPartitionMetadataRecord,
  consumerGroupMemberMetadataRecord,
  consumerGroupTargetAssignmentMetadataRecord,
  consumerGroupTargetAssignmentMemberRecord,
  consumerGroupCurrentMemberAssignmentRecord,
  consumerGroupRegularExpressionRecord,
] as const;

type Schema = (typeof schemas)[number];

/** A decoded record: its kind in `type`, and all fields of its key and value. Its bytes are views of the input. */
export type GroupRecord = {
  [S in Schema as S["type"]]: {
    readonly type: S["type"];
    readonly key: Decoded<S["key"]>;
    /** Null for a tombstone. */
    readonly value: Decoded<S["value"]> | null;
  };
}[Schema["type"]];

/** A record to encode: fields with a fallback may be left out. */
export type GroupRecordInit = {
  [S in Schema as S["type"]]: {
    readonly type: S["type"];
    readonly key: Encodable<S["key"]>;
    readonly value: Encodable<S["value"]> | null;
  };
}[Schema["type"]];

/** The record of one kind, as in `GroupRecordOf<"OffsetCommit">`. */
export type GroupRecordOf<Type extends GroupRecord["type"]> = Extract<GroupRecord, { readonly type: Type }>;

/** Every kind by its name. */
export const groupRecordSchemas: ReadonlyMap<string, GroupRecordSchema> = new Map(
  schemas.map((schema) => [schema.type, schema as GroupRecordSchema]),
);

const schemaByKeyVersion: ReadonlyMap<number, GroupRecordSchema> = new Map(
  [...groupRecordSchemas.values()].flatMap((schema) => {
    const [first, last] = schema.key.versions;
    return Array.from({ length: last - first + 1 }, (_, index) => [first + index, schema] as const);
  }),
);

/** Key and value of a record, in the newest version of the key and, unless told otherwise, Kafka's of the value. */
export function encodeGroupRecord(
  record: GroupRecordInit,
  valueVersion?: number,
): { readonly key: Uint8Array<ArrayBuffer>; readonly value: Uint8Array<ArrayBuffer> | null } {
  const schema = groupRecordSchemas.get(record.type)!;
  const { key, value } = record;
  return {
    key: encodeVersioned(schema.key, schema.key.versions[1], key),
    value: value === null ? null : encodeVersioned(schema.value, valueVersion ?? schema.valueVersion(value), value),
  };
}

/**
 * Decodes a record; undefined for a kind that is not known, which a newer broker may have written and an older one
 * skips. Throws CorruptMessageError, and UnsupportedVersionError for a version of a value that is not known.
 */
export function decodeGroupRecord(key: Uint8Array | null, value: Uint8Array | null): GroupRecord | undefined {
  if (key === null) throw new CorruptMessageError("a record of a group has no key");
  const schema = schemaByKeyVersion.get(new Reader(key).int16());
  if (schema === undefined) return undefined;
  return {
    type: schema.type,
    key: decodeVersioned(schema.key, key),
    value: value === null ? null : decodeVersioned(schema.value, value),
  } as GroupRecord;
}
