import type { Exchange } from "./speaker.ts";

export interface Difference {
  /** The conversation, what was asked, and the field. */
  readonly where: string;
  readonly tabstream: unknown;
  readonly kafka: unknown;
}

/** Values that are made up by a broker: there are some, or there are none, and more cannot be compared. */
const MADE_UP = /(^|\.)(topicId|memberId|leader|clusterId|host|port|producerId|rack|clientHost|logDir|offsetLag)$/i;
const NONE: readonly unknown[] = ["", null, -1, "00000000-0000-0000-0000-000000000000"];
/** Texts for people. */
const WORDING = /(message|documentation)$/i;

/** Field by field, what differs between two records of the same conversation. */
export function differences(name: string, ours: readonly Exchange[], theirs: readonly Exchange[]): Difference[] {
  const found: Difference[] = [];
  for (let index = 0; index < Math.max(ours.length, theirs.length); index++) {
    const our = ours[index];
    const their = theirs[index];
    const where = `${name}: ${our?.label ?? their?.label}`;
    if (our?.label !== their?.label) {
      found.push({ where, tabstream: our ?? "nothing more", kafka: their ?? "nothing more" });
      return found;
    }
    compare(where, "", our?.answer, their?.answer, found);
  }
  return found;
}

function compare(where: string, path: string, ours: unknown, theirs: unknown, found: Difference[]): void {
  if (path.endsWith(".configs") && Array.isArray(ours) && Array.isArray(theirs) && ours.length * theirs.length > 0) {
    const [left, right] = shared(ours, theirs);
    left.forEach((value, index) => compare(where, `${path}[${nameOf(value)}]`, value, right[index], found));
  } else if (Array.isArray(ours) && Array.isArray(theirs) && ours.length === theirs.length) {
    const left = sorted(ours);
    const right = sorted(theirs);
    left.forEach((value, index) => compare(where, `${path}[${index}]`, value, right[index], found));
  } else if (isStruct(ours) && isStruct(theirs)) {
    for (const name of Object.keys({ ...theirs, ...ours })) {
      compare(where, path === "" ? name : `${path}.${name}`, ours[name], theirs[name], found);
    }
  } else if (JSON.stringify(comparable(path, ours)) !== JSON.stringify(comparable(path, theirs))) {
    found.push({ where: `${where} ${path}`, tabstream: ours, kafka: theirs });
  }
}

function comparable(path: string, value: unknown): unknown {
  if (WORDING.test(path)) return "";
  if (MADE_UP.test(path) && !NONE.includes(value)) return "made up";
  return value instanceof Uint8Array ? [...value] : value;
}

function isStruct(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

const ORDER = ["apiKey", "name", "topic", "groupId", "key", "resourceName", "partitionIndex", "partition", "nodeId"];

/** Lists whose order says nothing are put in order by what names their elements. */
function sorted(values: readonly unknown[]): readonly unknown[] {
  const name = ORDER.find((candidate) => values.every((value) => isStruct(value) && candidate in value));
  if (name === undefined) return values;
  const text = (value: unknown) => String((value as Record<string, unknown>)[name]).padStart(10);
  return [...values].sort((left, right) => (text(left) < text(right) ? -1 : text(left) > text(right) ? 1 : 0));
}

/** Of two lists of configurations, those that both brokers know. */
function shared(ours: readonly unknown[], theirs: readonly unknown[]): [readonly unknown[], readonly unknown[]] {
  const both = (list: readonly unknown[], other: readonly unknown[]) => {
    const names = new Set(other.map(nameOf));
    return sorted(list.filter((value) => names.has(nameOf(value))));
  };
  return [both(ours, theirs), both(theirs, ours)];
}

function nameOf(value: unknown): string {
  return String((value as { readonly name: string }).name);
}
