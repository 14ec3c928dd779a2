import fc from "fast-check";
import { expect, test } from "vitest";
import { CorruptMessageError } from "../../src/protocol/errors.ts";
import { keylessRecords, mistimedRecords } from "../../src/protocol/produced-batch.ts";
import { encodeBatch, readBatchHeader, recordsSection } from "../../src/protocol/record-batch.ts";
import { decodeRecords } from "../../src/protocol/records.ts";
import { recordSpans } from "../../src/protocol/record-spans.ts";

const nullableBytes = fc.option(fc.uint8Array({ maxLength: 20 }));
const record = fc.record({
  key: nullableBytes,
  value: nullableBytes,
  timestamp: fc.integer({ min: -1, max: 2 ** 41 }),
  headers: fc.array(fc.record({ key: fc.string(), value: nullableBytes }), { maxLength: 3 }),
});

const sent = fc.array(record, { minLength: 1, maxLength: 10 }).map((records) => {
  return encodeBatch(records.map((each, offset) => ({ ...each, offset })));
});

test("spans tell of records what decoding tells", () => {
  fc.assert(
    fc.property(sent, (batch) => {
      const header = readBatchHeader(batch);
      const section = recordsSection(batch);
      const spans = recordSpans(section, header);
      const decoded = decodeRecords(section, header);
      expect(spans.map(({ offset, key, hasValue, timestampDelta }) => [offset, key, hasValue, timestampDelta])).toEqual(
        decoded.map(({ offset, key, value, timestamp }) => [offset, key, value !== null, timestamp - header.baseTimestamp]),
      );
      expect([0, ...spans.map(({ end }) => end)]).toEqual([...spans.map(({ start }) => start), section.length]);
      const keyless = decoded.flatMap(({ key }, place) => (key === null ? [place] : []));
      expect(keylessRecords(section, header)).toEqual(keyless);
      const [earliest, latest] = [header.baseTimestamp - 1, header.maxTimestamp - 1];
      const isMistimed = (timestamp: number) => timestamp !== -1 && (timestamp < earliest || timestamp > latest);
      const mistimed = decoded.flatMap(({ timestamp }, place) => (isMistimed(timestamp) ? [place] : []));
      expect(mistimedRecords(section, header, earliest, latest)).toEqual(mistimed);
    }),
  );
});

test("damaged sections are refused, or read within their bounds", () => {
  fc.assert(
    fc.property(sent, fc.nat(), fc.nat(255), (batch, at, byte) => {
      const header = readBatchHeader(batch);
      const section = recordsSection(batch);
      section[at % section.length] = byte;
      try {
        for (const { start, end } of recordSpans(section, header)) expect(start < end && end <= section.length).toBe(true);
      } catch (error) {
        if (!(error instanceof CorruptMessageError)) throw error;
      }
    }),
  );
});
