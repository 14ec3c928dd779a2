import { message } from "../schema.ts";
import type { DecodedStruct, EncodableStruct, Fields, Message, VersionRange } from "../schema.ts";

/** A kind of record in the topic `__consumer_offsets`. */
export interface GroupRecordSchema<
  Type extends string = string,
  Key = unknown,
  KeyInit = unknown,
  Value = unknown,
  ValueInit = unknown,
> {
  readonly type: Type;
  /** Its versions belong to this kind alone, and so tell it from the others. */
  readonly key: Message<Key, KeyInit>;
  readonly value: Message<Value, ValueInit>;
  /** The version of the value that Kafka writes. */
  valueVersion(value: ValueInit): number;
}

interface GroupRecordDeclaration<Type extends string, K extends Fields, V extends Fields> {
  readonly type: Type;
  readonly keyVersions: VersionRange;
  readonly key: K;
  readonly valueVersions: VersionRange;
  readonly valueFlexibleFrom: number;
  readonly value: V;
  valueVersion(value: EncodableStruct<V>): number;
}

/** Declares a record kind. No key is flexible: compaction compares their bytes. */
export function groupRecord<const Type extends string, const K extends Fields, const V extends Fields>(
  declaration: GroupRecordDeclaration<Type, K, V>,
): GroupRecordSchema<Type, DecodedStruct<K>, EncodableStruct<K>, DecodedStruct<V>, EncodableStruct<V>> {
  const { type, keyVersions, valueVersions, valueFlexibleFrom } = declaration;
  return {
    type,
    key: message({
      name: `${type}Key`,
      versions: keyVersions,
      flexibleFrom: keyVersions[1] + 1,
      fields: declaration.key,
    }),
    value: message({
      name: `${type}Value`,
      versions: valueVersions,
      flexibleFrom: valueFlexibleFrom,
      fields: declaration.value,
    }),
    valueVersion: declaration.valueVersion,
  };
}

/** Declares a record kind of consumer groups: one version of the key, and one, flexible, of the value. */
export function consumerGroupRecord<const Type extends string, const K extends Fields, const V extends Fields>(
  declaration: { readonly type: Type; readonly keyVersion: number; readonly key: K; readonly value: V },
): GroupRecordSchema<Type, DecodedStruct<K>, EncodableStruct<K>, DecodedStruct<V>, EncodableStruct<V>> {
  const { type, keyVersion, key, value } = declaration;
  return groupRecord({
    type,
    keyVersions: [keyVersion, keyVersion],
    key,
    valueVersions: [0, 0],
    valueFlexibleFrom: 0,
    value,
    valueVersion: () => 0,
  });
}
