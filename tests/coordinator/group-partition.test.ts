import { describe, expect, it } from "vitest";
import { javaHashCode, partitionForGroup } from "../../src/coordinator/group-partition.ts";

describe("the partition of a group", () => {
  it("goes by Java's hash of the group id", () => {
    // From the definition of java.lang.String.hashCode; the last two are the known collision and the known minimum.
    expect(["", "a", "hello", "group"].map(javaHashCode)).toEqual([0, 97, 99162322, 98629247]);
    expect(javaHashCode("Aa")).toBe(javaHashCode("BB"));
    expect(javaHashCode("polygenelubricants")).toBe(-2147483648);
  });

  it("is that of Kafka, also for negative hashes and the smallest one", () => {
    expect(partitionForGroup("polygenelubricants", 50)).toBe(0);
    expect(partitionForGroup("group", 50)).toBe(98629247 % 50);
    expect(javaHashCode("hello world")).toBeGreaterThan(0);
    expect(javaHashCode("consumers")).toBeLessThan(0);
    expect(partitionForGroup("consumers", 50)).toBe(-javaHashCode("consumers") % 50);
  });
});
