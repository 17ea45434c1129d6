/** The one place that touches pino: JSON lines on standard output, which other programs read. */
import type { Logger } from '@millrace/core';
import { pino } from 'pino';

/** @param level the least severe level that is written. @param fields on every line. */
export function createLogger(level: string, fields: object): Logger {
  return pino({
    level,
    base: fields,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}
