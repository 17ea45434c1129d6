/** Servers on the loopback interface and what they need, for tests; all closed at the end of the test that asked for them. */
import { type Clock, type Logger, silentLogger } from '@millrace/core';
import { RpcServer } from '@millrace/protocol';
import { onTestFinished } from 'vitest';

/** The real time. */
export const realClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

export interface ServedNode {
  readonly server: RpcServer;
  readonly port: number;
}

/** @param port 0 lets the system choose. */
export async function serve(setUp: (server: RpcServer) => void, port = 0): Promise<ServedNode> {
  const server = new RpcServer({ listener: 'INTERNAL' });
  setUp(server);
  const bound = await server.listen('127.0.0.1', port);
  onTestFinished(() => server.close());
  return { server, port: bound };
}

/** Keeps the fields of every warning and error. */
export function recordingLogger(lines: Record<string, unknown>[]): Logger {
  const keep = (fields: object): void => void lines.push(fields as Record<string, unknown>);
  const logger: Logger = { ...silentLogger, warn: keep, error: keep, fatal: keep, child: () => logger };
  return logger;
}

/** Waits until `condition` holds, looking once per turn of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
