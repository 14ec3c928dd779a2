/** KafkaJS's codecs, by Kafka's numbers. */
export const CompressionTypes = { None: 0, GZIP: 1, Snappy: 2, LZ4: 3, ZSTD: 4 } as const;
export type CompressionTypes = (typeof CompressionTypes)[keyof typeof CompressionTypes];

/** Where applications register codecs with KafkaJS. Here all are built in, and what is put into this is not used. */
export const CompressionCodecs: Record<number, unknown> = {};
