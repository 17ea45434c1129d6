import { describe, expect, test } from 'vitest';
import { environmentProperties } from './environment-properties.ts';
import { parseListeners, parseVoters } from './listener.ts';
import { parseProperties } from './properties-file.ts';

describe('server.properties', () => {
  test('reads what java.util.Properties reads', () => {
    const text =
      '# comment\n! also\n\nnode.id=1\nlog.dirs = /a b/c \nrack:r1\nspaced value\nlong=a,\\\n  b\nesc\\=aped=x\\u0041\\t\nlast=';
    expect(parseProperties(text)).toEqual({
      'node.id': '1',
      'log.dirs': '/a b/c',
      rack: 'r1',
      spaced: 'value',
      long: 'a,b',
      'esc=aped': 'xA\t',
      last: '',
    });
  });

  test('names the line that is not a setting', () => {
    expect(() => parseProperties('a=1\nnonsense')).toThrow(/line 2: "nonsense" is not "key=value"/);
  });
});

test("environment variables name keys by the rule of Kafka's image", () => {
  const given = {
    MILLRACE_NODE_ID: '3',
    MILLRACE_LOG_DIRS: '/d',
    MILLRACE_A__B___C: 'x',
    OTHER: '1',
    MILLRACE_CLUSTER_ID: 'id',
  };
  expect(environmentProperties(given, (key) => key !== 'cluster.id')).toEqual({
    'node.id': '3',
    'log.dirs': '/d',
    'a_b-c': 'x',
  });
});

describe('addresses', () => {
  test('listeners have a name, a host that may be empty, and a port', () => {
    expect(parseListeners('listeners', ['GRPC://:9191', 'inner://[::1]:0'])).toEqual([
      { name: 'GRPC', host: '', port: 9191 },
      { name: 'INNER', host: '::1', port: 0 },
    ]);
  });

  test.each([['GRPC:9191'], ['GRPC://host'], ['GRPC://host:70000'], ['://host:1']])(
    '%s is refused by name',
    (text) => {
      expect(() => parseListeners('listeners', [text])).toThrow(/listeners: ".*" must be NAME:\/\/host:port/);
    },
  );

  test('a listener named twice and a voter named twice are refused', () => {
    expect(() => parseListeners('listeners', ['A://:1', 'A://:2'])).toThrow(/named twice/);
    expect(() => parseVoters('voters', ['1@a:1', '1@b:2'])).toThrow(/stands twice/);
  });
});
