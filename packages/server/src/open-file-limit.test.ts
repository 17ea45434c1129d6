import { expect, test } from 'vitest';
import { type NodeConfig, parseNodeConfig } from './node-config.ts';
import { fittedToFiles, openFileLimit } from './open-file-limit.ts';

function configOf(texts: Readonly<Record<string, string>> = {}): NodeConfig {
  return parseNodeConfig({
    'node.id': '1',
    listeners: 'GRPC://localhost:9191',
    'controller.quorum.voters': '1@localhost:9191',
    'log.dirs': '/data',
    ...texts,
  });
}

const WANTED = { 'open.files.max': '4000', 'max.connections': '10000' };

test('the limit is what the system says of the process', () => {
  const limits = (soft: string): string =>
    `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${soft}                 20000                files\n`;
  expect(openFileLimit(() => limits('4096'))).toBe(4096);
  expect(openFileLimit(() => limits('unlimited'))).toBe(Infinity);
  expect(openFileLimit(() => '')).toBeUndefined();
});

test.each([undefined, Infinity, 14_200])('a limit of %s leaves the configuration as it is', (limit) => {
  const config = configOf(WANTED);
  expect(fittedToFiles(config, limit)).toEqual({ config, warning: undefined });
});

test.each([
  [14_199, 4_000, 9_999],
  [4_096, 1_948, 1_948],
  [1_024, 412, 412],
  [64, 16, 1],
])(
  'with a limit of %i there are %i log files and %i connections, and a warning that says so',
  (limit, files, connections) => {
    const { config, warning } = fittedToFiles(configOf(WANTED), limit);
    expect(config.storage['open.files.max']).toBe(files);
    expect(config.rpc['max.connections']).toBe(connections);
    expect(warning).toContain(`${limit} files open (ulimit -n)`);
    expect(warning).toContain(`${connections} connections (max.connections is 10000)`);
    expect(warning).toContain(`${files} log files open (open.files.max is 4000)`);
  },
);
