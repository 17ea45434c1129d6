/**
 * The shape of the code itself: who may import whom, which code stays pure, how modules begin and how long they get.
 *
 * The table is the architecture: packages stand lowest first, each with all it may import. Changing a row is a
 * design decision with a commit of its own.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  records: ['core'],
  raft: ['core'],
  metadata: ['core'],
  groups: ['core'],
  storage: ['core', 'records'],
  protocol: ['core'],
  'metadata-quorum': ['core', 'raft', 'metadata'],
  broker: ['core', 'records', 'metadata', 'groups', 'storage'],
  client: ['core', 'records', 'protocol'],
  'grpc-api': ['core', 'raft', 'metadata', 'protocol', 'metadata-quorum', 'broker'],
  'kafka-api': ['core', 'records', 'metadata', 'groups', 'broker'],
  cli: ['core', 'records', 'storage', 'client'],
  server: [
    'core',
    'metadata',
    'groups',
    'storage',
    'protocol',
    'metadata-quorum',
    'broker',
    'client',
    'grpc-api',
    'kafka-api',
    'cli',
  ],
  simulator: [
    'core',
    'records',
    'raft',
    'metadata',
    'storage',
    'protocol',
    'metadata-quorum',
    'broker',
    'client',
    'groups',
    'grpc-api',
    'kafka-api',
    'server',
  ],
};

/** Packages whose every module is pure; elsewhere, modules named `*-state.ts` are. */
const PURE_PACKAGES = ['core', 'records', 'raft', 'metadata', 'groups'];
const MODULE_LINES_MAX = 500;
/** Tools of tests, declared once for all packages. */
const OF_THE_ROOT = new Set(['vitest', 'fast-check']);

const IMPURITIES: readonly (readonly [name: string, pattern: RegExp])[] = [
  // zlib and buffer are functions of their input; module only loads a codec when the first batch asks for it.
  ['a Node module with effects', /\bfrom 'node:(?!(?:zlib|buffer|module)')/],
  ['gRPC', /\bfrom '@grpc\//],
  ['the wall clock', /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/],
  ['global randomness', /\bMath\.random\(|\bcrypto\.random/],
  ['a global timer', /\b(?:setTimeout|setInterval|setImmediate|queueMicrotask)\(|\bprocess\.nextTick\(/],
  ['the process', /\bprocess\.(?!versions)/],
];

interface Module {
  readonly owner: string;
  readonly path: string;
  readonly code: string;
  readonly isTest: boolean;
}

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const packages = Object.keys(MAY_IMPORT);
const modules: readonly Module[] = packages.flatMap((owner) => {
  const folder = join(root, 'packages', owner, 'src');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts') && !file.includes('generated'))
    .map((file) => ({
      owner,
      path: posix.join('packages', owner, 'src', file),
      code: readFileSync(join(folder, file), 'utf8'),
      isTest: /\.(test|bench)\.ts$/.test(file) || file.startsWith('testing/'),
    }));
});

function importsOf({ code }: Module): string[] {
  return [...code.matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]!);
}

/** As `importsOf`, but only what surely is an import, not text that looks like one. */
function packagesOf(code: string): string[] {
  const targets =
    /(?:^(?:import|export)\s[^;'"]*?from\s+|^import\s+|\bimport\(|\bcreateRequire\([^)]*\)\()['"]([^'"]+)['"]/gm;
  return [...code.matchAll(targets)].flatMap((match) => packageOf(match[1]!) ?? []);
}

/** `@scope/name` or `name`; undefined for a module of the same package or of Node.js. */
function packageOf(target: string): string | undefined {
  return /^(?!node:)(?:@[a-z0-9-]+\/)?[a-z][a-z0-9-]*(?=\/|$)/.exec(target)?.[0];
}

/** Why an import is not allowed, or undefined if it is. */
function importFault(module: Module, target: string): string | undefined {
  if (target.startsWith('@millrace/')) {
    const [, name, ...rest] = target.split('/');
    if (rest.length > 0) return 'reaches into another package';
    return MAY_IMPORT[module.owner]!.includes(name!) ? undefined : 'is not in the row of its package';
  }
  if (!target.startsWith('.')) return undefined;
  const resolved = posix.join(dirname(module.path), target);
  return resolved.startsWith(`packages/${module.owner}/`) ? undefined : 'leaves its package by path';
}

/** Code without comments and string contents, so that prose about a clock is not taken for one. */
function withoutProse(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"])\/\/.*$/gm, '$1');
}

describe('the layering table', () => {
  test('has a row for every package', () => {
    const folders = readdirSync(join(root, 'packages'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
    expect(folders.sort()).toEqual([...packages].sort());
  });

  test('only points down', () => {
    const upward = packages.flatMap((name, row) =>
      MAY_IMPORT[name]!.filter((lower) => packages.indexOf(lower) >= row).map(
        (lower) => `${name} -> ${lower}`,
      ),
    );
    expect(upward).toEqual([]);
  });

  test.each(packages)('is what %s declares in package.json and tsconfig.json', (name) => {
    const manifest = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')) as {
      dependencies?: Record<string, string>;
    };
    const tsconfig = JSON.parse(readFileSync(join(root, 'packages', name, 'tsconfig.json'), 'utf8')) as {
      references?: { path: string }[];
    };
    const row = [...MAY_IMPORT[name]!].sort();
    const declared = Object.keys(manifest.dependencies ?? {})
      .filter((dependency) => dependency.startsWith('@millrace/'))
      .map((dependency) => dependency.slice('@millrace/'.length));
    expect(declared.sort()).toEqual(row);
    expect((tsconfig.references ?? []).map(({ path }) => path.slice('../'.length)).sort()).toEqual(row);
  });
});

test('a module imports only what its row allows, and other packages only by their index', () => {
  const faults = modules.flatMap((module) =>
    importsOf(module).flatMap((target) => {
      const fault = importFault(module, target);
      return fault === undefined ? [] : [`${module.path}: '${target}' ${fault}`];
    }),
  );
  expect(faults).toEqual([]);
});

describe('package.json', () => {
  // Everything below the simulator is there to be simulated, whatever its scenarios happen to use today.
  test.each(packages.filter((name) => name !== 'simulator'))(
    'of %s names what is imported, and nothing else',
    (name) => {
      const { dependencies = {} } = JSON.parse(
        readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'),
      ) as { dependencies?: Record<string, string> };
      const folder = join(root, 'packages', name, 'src');
      const imported = new Set(
        readdirSync(folder, { recursive: true, encoding: 'utf8' })
          .filter((file) => file.endsWith('.ts'))
          .flatMap((file) => packagesOf(readFileSync(join(folder, file), 'utf8')))
          .filter((target) => !OF_THE_ROOT.has(target)),
      );
      expect([...imported].sort()).toEqual(Object.keys(dependencies).sort());
    },
  );
});

test('pure code touches no clock, randomness, timer, process, file or socket', () => {
  const faults = modules
    .filter(
      ({ owner, path, isTest }) => !isTest && (PURE_PACKAGES.includes(owner) || path.endsWith('-state.ts')),
    )
    .flatMap(({ path, code }) =>
      IMPURITIES.filter(([, pattern]) => pattern.test(withoutProse(code))).map(
        ([name]) => `${path}: ${name}`,
      ),
    );
  expect(faults).toEqual([]);
});

test('every module opens by saying what it is for', () => {
  const faults = modules
    .filter(({ code, isTest }) => !isTest && !code.startsWith('/**'))
    .map(({ path }) => path);
  expect(faults).toEqual([]);
});

test(`no module is longer than ${MODULE_LINES_MAX} lines`, () => {
  const faults = modules
    .map(({ path, code, isTest }) => ({ path, isTest, lines: code.split('\n').length }))
    .filter(({ lines, isTest }) => !isTest && lines > MODULE_LINES_MAX)
    .map(({ path, lines }) => `${path}: ${lines}`);
  expect(faults).toEqual([]);
});

test('no module has a name that says nothing', () => {
  const faults = modules.filter(({ path }) =>
    /(^|[/-])(utils?|helpers?|common|manager|misc|types)(-|\.|\/)/.test(path),
  );
  expect(faults.map(({ path }) => path)).toEqual([]);
});
