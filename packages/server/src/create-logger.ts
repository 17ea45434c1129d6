/** The one place that touches pino: JSON lines on standard output, which other programs read. */
import type { Logger } from '@millrace/core';
import { type DestinationStream, pino } from 'pino';

/**
 * @param level the least severe level that is written.
 * @param fields on every line.
 * @param destination standard output unless given.
 */
export function createLogger(level: string, fields: object, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: fields,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // The usual one adds the message of every cause to the message, which tells it already.
      serializers: { err: pino.stdSerializers.errWithCause },
    },
    destination,
  );
}
