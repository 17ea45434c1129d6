/**
 * What callers without a type checker hand in, checked where it comes in: what is wrong is INVALID_REQUEST and names
 * the argument, before anything is sent or changed. Pure.
 */
import { checkTopicName, MillraceError, type TopicPartition } from '@millrace/core';
import type { OffsetSpec } from './cluster/offset-lookup.ts';

export function wrongArgument(name: string, wanted: string, value: unknown): MillraceError {
  return new MillraceError('INVALID_REQUEST', `${name} must be ${wanted}, not ${shown(value)}`);
}

export function checkObject(name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrongArgument(name, 'an object', value);
}

export function checkList(name: string, value: unknown): void {
  if (!Array.isArray(value)) throw wrongArgument(name, 'a list', value);
}

export function checkText(name: string, value: unknown): void {
  if (typeof value !== 'string') throw wrongArgument(name, 'text', value);
}

/** Topic names. @throws {MillraceError} INVALID_TOPIC_EXCEPTION as well. */
export function checkTopics(name: string, value: readonly string[]): void {
  checkList(name, value);
  value.forEach((topic, i) => {
    checkText(`${name}[${i}]`, topic);
    checkTopicName(topic);
  });
}

/** @throws {MillraceError} INVALID_TOPIC_EXCEPTION as well. */
export function checkPartition(name: string, value: TopicPartition): void {
  checkObject(name, value);
  checkText(`${name}.topic`, value.topic);
  checkTopicName(value.topic);
  checkWhole(`${name}.partition`, value.partition);
}

/** @throws {MillraceError} INVALID_TOPIC_EXCEPTION as well. */
export function checkPartitions(name: string, value: readonly TopicPartition[]): void {
  checkList(name, value);
  value.forEach((partition, i) => {
    checkPartition(`${name}[${i}]`, partition);
  });
}

export function checkWhole(name: string, value: unknown): void {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw wrongArgument(name, 'a whole number from 0 on', value);
}

/** What a 32-bit field takes; whether it makes sense the cluster tells better. */
export function checkInteger(name: string, value: unknown): void {
  if (!Number.isInteger(value) || Math.abs(value as number) >= 2 ** 31)
    throw wrongArgument(name, 'a whole number', value);
}

export function checkNodeId(name: string, value: unknown): void {
  checkWhole(name, value);
  checkInteger(name, value);
}

/** Replicas by partition. */
export function checkAssignments(name: string, value: readonly (readonly number[])[] | undefined): void {
  if (value === undefined) return;
  checkList(name, value);
  value.forEach((replicas, i) => {
    checkList(`${name}[${i}]`, replicas);
    replicas.forEach((id, j) => {
      checkNodeId(`${name}[${i}][${j}]`, id);
    });
  });
}

export function checkConfigValue(name: string, value: unknown, orElse = ''): void {
  if (typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number' && Number.isFinite(value)) return;
  throw wrongArgument(name, `text, a number or a boolean${orElse}`, value);
}

export function checkTimestamp(name: string, value: unknown): void {
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw wrongArgument(name, 'milliseconds since the epoch', value);
}

/** The offset as a number. `orElse` names what else would have done. */
export function offsetArgument(name: string, value: unknown, orElse = ''): number {
  const isNumber = typeof value === 'bigint' || typeof value === 'number';
  const offset = isNumber ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(offset) && offset >= 0) return offset;
  throw wrongArgument(name, `an offset from 0 on${orElse}`, value);
}

export function checkOffsetSpec(name: string, value: OffsetSpec): void {
  if (value === 'earliest' || value === 'latest' || value === 'maxTimestamp') return;
  if (typeof value !== 'object' || value === null)
    throw wrongArgument(name, "'earliest', 'latest', 'maxTimestamp' or { timestampMs }", value);
  checkTimestamp(`${name}.timestampMs`, value.timestampMs);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 100));
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}
