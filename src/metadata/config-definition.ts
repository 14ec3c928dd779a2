/** The types of configuration values, by their numbers in DescribeConfigs. */
export const configTypes = { boolean: 1, string: 2, int: 3, short: 4, long: 5, double: 6, list: 7 } as const;
export type ConfigType = keyof typeof configTypes;

export interface ConfigDefinition {
  readonly name: string;
  /** The key under which the default for all topics can be set on the brokers; Kafka names some of them differently. */
  readonly brokerName: string;
  readonly type: ConfigType;
  readonly fallback: string;
  /** What a value must be, in words, and whether it is. */
  readonly expects: string;
  accepts(value: string): boolean;
}

/** Which values a configuration takes. */
export type ConfigRule = Pick<ConfigDefinition, "type" | "expects" | "accepts">;

export const MAX_LONG = 0x7fff_ffff_ffff_ffffn;

export const anyOf = (...values: string[]): ConfigRule => ({
  type: "string",
  expects: `one of ${values.join(", ")}`,
  accepts: (value) => values.includes(value),
});

export const listOf = (...values: string[]): ConfigRule => ({
  type: "list",
  expects: `a list of ${values.join(", ")}`,
  accepts: (value) => isListOf(listItems(value), values) && value.length <= MAX_LIST_LENGTH,
});

/** The text is kept as it was given, by every tab: an item twice, or a page of blanks, would be no value but a burden. */
const MAX_LIST_LENGTH = 256;

function isListOf(items: readonly string[], values: readonly string[]): boolean {
  return items.length > 0 && new Set(items).size === items.length && items.every((item) => values.includes(item));
}

export const between = (type: "int" | "short" | "long", lowest: number, highest: number | bigint): ConfigRule => ({
  type,
  expects: `a whole number from ${lowest} to ${highest}`,
  accepts: (value) => /^-?\d{1,19}$/.test(value) && BigInt(value) >= lowest && BigInt(value) <= highest,
});

export const atLeast = (type: "int" | "short" | "long", lowest: number): ConfigRule =>
  between(type, lowest, { short: 0x7fffn, int: 0x7fff_ffffn, long: MAX_LONG }[type]);

export const ratio: ConfigRule = {
  type: "double",
  expects: "a number from 0 to 1",
  accepts: (value) => /^\d{1,16}(\.\d{0,16})?$/.test(value) && Number(value) <= 1,
};

export const boolean: ConfigRule = { ...anyOf("true", "false"), type: "boolean" };

export function define(name: string, brokerName: string, rule: ConfigRule, fallback: string): ConfigDefinition {
  return { name, brokerName, ...rule, fallback };
}

/** Why the value does not fit, or undefined if it does. */
export function configProblem(definition: ConfigDefinition, value: string): string | undefined {
  if (definition.accepts(value)) return undefined;
  const shown = value.length > 100 ? `${value.slice(0, 100)}…` : value;
  return `${definition.name} must be ${definition.expects}, not "${shown}"`;
}

export function listItems(value: string): string[] {
  return value.split(",").map((item) => item.trim()).filter((item) => item !== "");
}

export function byName(definitions: readonly ConfigDefinition[]): ReadonlyMap<string, ConfigDefinition> {
  return new Map(definitions.map((definition) => [definition.name, definition]));
}
