/** What production code logs, as events of the trace: a failure report then tells what each node thought it did. */
import type { Logger } from '@millrace/core';
import type { SimLife } from './sim-process.ts';

const ignore = (): void => {};

/** Keeps the event's name and, if there are any, its error code and reason. Debug lines are dropped. */
export function simLogger(life: SimLife, onEvent?: (event: string) => void): Logger {
  const keep = (fields: object): void => {
    if (!life.isCurrent) return;
    const event = eventOf(fields);
    life.note(event, codeOf(fields), reasonOf(fields));
    onEvent?.(event);
  };
  const logger: Logger = {
    debug: ignore,
    info: keep,
    warn: keep,
    error: keep,
    fatal: keep,
    child: () => logger,
  };
  return logger;
}

function eventOf(fields: object): string {
  return 'event' in fields && typeof fields.event === 'string' ? fields.event : 'log';
}

function codeOf(fields: object): string | number {
  if ('code' in fields && typeof fields.code === 'string') return fields.code;
  if ('err' in fields && fields.err instanceof Error) return fields.err.message;
  return 0;
}

function reasonOf(fields: object): string | number {
  return 'reason' in fields && typeof fields.reason === 'string' ? fields.reason : 0;
}
