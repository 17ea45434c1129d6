/** Kafka's numbers for where a setting's value comes from, what type it has, and whose it is. */
import type { ConfigEntry, ConfigResource } from '@millrace/broker';

const SOURCES: Readonly<Record<ConfigEntry['source'], number>> = {
  topic: 1,
  broker: 2,
  cluster: 3,
  static: 4,
  default: 5,
};

const STRING = 2;
const TYPES: Readonly<Record<string, number>> = {
  boolean: 1,
  text: STRING,
  choice: STRING,
  count: 3,
  bytes: 3,
  ms: 5,
  long: 5,
  ratio: 6,
  list: 7,
};

export const [TOPIC, BROKER] = [2, 4];
const OTHER_RESOURCES: Readonly<Record<number, string>> = {
  8: 'a broker logger',
  16: 'a subscription to client metrics',
  32: 'a group',
};

export function wireSource(source: ConfigEntry['source']): number {
  return SOURCES[source];
}

export function wireType(type: string): number {
  return TYPES[type] ?? STRING;
}

/** Undefined for a type of resource that has no settings here. */
export function resourceOf(type: number, name: string): ConfigResource | undefined {
  if (type === TOPIC) return { kind: 'topic', name };
  if (type !== BROKER) return undefined;
  return name === '' ? { kind: 'cluster', name: '' } : { kind: 'broker', name };
}

export function whyNoResource(type: number): string {
  const other = OTHER_RESOURCES[type];
  if (other !== undefined) return `${other} has no settings here: topics and brokers have`;
  return `there is no resource of type ${type}`;
}
