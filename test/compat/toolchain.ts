/**
 * Installs Kafka clients from their registries at pinned versions, each into a folder of its own outside the
 * repository, once. What a machine lacks is told by name.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const OUTPUT_MAX_BYTES = 16 * 1024 * 1024;
const INSTALL_LIMIT_MS = 280_000;

/** Where the installed clients stay from run to run. */
const CACHE_FOLDER =
  process.env.MILLRACE_COMPAT_CACHE ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'millrace-compat');

export type Toolchain = 'python3' | 'npm' | 'java' | 'kcat' | 'gcc';

const KCAT_PACKAGES = ['kcat=1.7.1-2', 'librdkafka1=2.0.2-1', 'libyajl2'];

/** A command that only a present toolchain answers. */
const PROBES: Readonly<Record<Toolchain, readonly (readonly string[])[]>> = {
  python3: [['python3', '-c', 'import venv, ensurepip']],
  npm: [['npm', '--version']],
  java: [
    ['java', '-version'],
    ['mvn', '-version'],
  ],
  gcc: [
    ['npm', '--version'],
    ['gcc', '--version'],
    ['make', '--version'],
  ],
  kcat: [
    ['apt-get', '--version'],
    ['apt-cache', 'show', ...KCAT_PACKAGES],
  ],
};

export const isContinuousIntegration = process.env.CI === 'true';

/** What this machine lacks, in words; undefined if it has the toolchain. */
export async function lackOf(toolchain: Toolchain): Promise<string | undefined> {
  for (const [command, ...args] of PROBES[toolchain]) {
    try {
      await execute(command!, args);
    } catch {
      return `${command} is not usable here`;
    }
  }
  return undefined;
}

/** Without the toolchain: a failure in continuous integration, elsewhere the reason goes to `skip`. */
export async function demand(toolchain: Toolchain, skip: (reason: string) => void): Promise<void> {
  const lack = await lackOf(toolchain);
  if (lack === undefined) return;
  if (isContinuousIntegration) throw new Error(lack);
  skip(lack);
}

async function run(command: string, args: readonly string[], cwd?: string): Promise<void> {
  await execute(command, args, { cwd, maxBuffer: OUTPUT_MAX_BYTES, timeout: INSTALL_LIMIT_MS });
}

/** The folder `name` of the cache, filled by `install` unless the same `recipe` has filled it before. */
async function installed(
  name: string,
  recipe: string,
  install: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(CACHE_FOLDER, name);
  const mark = join(folder, '.installed');
  const earlier = await readFile(mark, 'utf8').catch(() => undefined);
  if (earlier === recipe) return folder;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await install(folder);
  await writeFile(mark, recipe);
  return folder;
}

/** A Python with these packages (`name==version`): the path of its interpreter. */
export async function pythonWith(name: string, packages: readonly string[]): Promise<string> {
  const folder = await installed(name, packages.join('\n'), async (target) => {
    await run('python3', ['-m', 'venv', target]);
    const pip = ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', '--only-binary=:all:'];
    await run(join(target, 'bin', 'python'), [...pip, ...packages]);
  });
  return join(folder, 'bin', 'python');
}

/** A folder whose `node_modules` hold these packages (`name@version`); none of their install scripts has run. */
export async function nodeWith(name: string, packages: readonly string[]): Promise<string> {
  return await installed(name, packages.join('\n'), async (target) => {
    await writeFile(join(target, 'package.json'), '{ "private": true, "type": "module" }\n');
    await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages], target);
  });
}

/** The class path of what a Maven project file depends on. */
export async function javaWith(name: string, projectFile: string): Promise<string> {
  const folder = await installed(name, await readFile(projectFile, 'utf8'), async (target) => {
    await copyFile(projectFile, join(target, 'pom.xml'));
    const flags = ['-DincludeScope=runtime', '-DoutputDirectory=lib'];
    await run('mvn', ['-q', '-B', 'dependency:copy-dependencies', ...flags], target);
  });
  return join(folder, 'lib', '*');
}

/** A class path with the classes of one source file before it, compiled against it. */
export async function compiled(classPath: string, name: string, source: string): Promise<string> {
  const folder = await installed(name, await readFile(source, 'utf8'), async (target) => {
    await run('javac', ['-nowarn', '-d', target, '-cp', classPath, source]);
  });
  return [folder, classPath].join(delimiter);
}

/** kcat and its libraries out of Debian's packages, unpacked without being installed. */
export async function kcat(): Promise<{ readonly command: string; readonly env: NodeJS.ProcessEnv }> {
  const folder = await installed('kcat', KCAT_PACKAGES.join('\n'), async (target) => {
    await run('apt-get', ['download', '-qq', ...KCAT_PACKAGES], target);
    const packages = (await readdir(target)).filter((name) => name.endsWith('.deb'));
    for (const name of packages) await run('dpkg', ['-x', name, target], target);
  });
  const libraries = (await readdir(join(folder, 'usr', 'lib'))).map((name) =>
    join(folder, 'usr', 'lib', name),
  );
  return {
    command: join(folder, 'usr', 'bin', 'kcat'),
    env: { ...process.env, LD_LIBRARY_PATH: libraries.join(delimiter) },
  };
}

/** Its tarball holds the source of librdkafka 2.12.0 whole, the programs that measure it included. */
const LIBRDKAFKA_SOURCE = 'node-rdkafka@3.6.1';
/** Nothing that a comparison over plain text on one machine needs. */
const LIBRDKAFKA_WITHOUT = ['ssl', 'gssapi', 'curl', 'zstd', 'lz4-ext', 'zlib'];

/** `rdkafka_performance`, built from librdkafka's source with the machine's C compiler: the path of the program. */
export async function rdkafkaPerformance(): Promise<string> {
  const without = LIBRDKAFKA_WITHOUT.map((feature) => `--disable-${feature}`);
  const source = await nodeWith('librdkafka', [LIBRDKAFKA_SOURCE]);
  const recipe = [LIBRDKAFKA_SOURCE, ...without].join('\n');
  const folder = await installed('rdkafka-performance', recipe, async (target) => {
    const tree = join(source, 'node_modules', 'node-rdkafka', 'deps', 'librdkafka');
    await run('bash', ['configure', ...without], tree);
    await run('make', ['-j2', '-C', 'src', 'librdkafka.a'], tree);
    await run('make', ['-C', 'examples', 'rdkafka_performance'], tree);
    await copyFile(join(tree, 'examples', 'rdkafka_performance'), join(target, 'rdkafka_performance'));
  });
  return join(folder, 'rdkafka_performance');
}
