/**
 * Profiles: named sets of defaults in `~/.config/millrace/config.yaml`. Never loses another profile when it writes one:
 * the file is replaced whole, by rename, readable by its owner only.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { CliError, notFound } from './cli-error.ts';
import type { CliEnvironment } from './environment.ts';
import { EXIT } from './exit-code.ts';

/** Flag names without dashes (`bootstrap-server`, `output`, `timeout`), and client properties as `-X` takes them. */
export type Profile = Readonly<Record<string, string>>;

export interface ProfileFile {
  readonly current: string | undefined;
  readonly profiles: ReadonlyMap<string, Profile>;
}

export const PROFILE_FLAGS = ['bootstrap-server', 'output', 'timeout'] as const;

export function profilePath({ env, homeDirectory }: Pick<CliEnvironment, 'env' | 'homeDirectory'>): string {
  const configured = env.MILLRACE_CLI_CONFIG;
  if (configured !== undefined && configured !== '') return configured;
  const base = env.XDG_CONFIG_HOME ? env.XDG_CONFIG_HOME : join(homeDirectory, '.config');
  return join(base, 'millrace', 'config.yaml');
}

/** A missing file is an empty one. @throws {CliError} PROFILE_FILE if it cannot be read or has another shape. */
export async function readProfiles(path: string): Promise<ProfileFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    // A service's user often has a home that is not there, or not its own: then there are no profiles.
    const absent = ['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '');
    if (absent) return { current: undefined, profiles: new Map() };
    throw unreadable(path, (error as Error).message);
  }
  try {
    return fromDocument(parse(text));
  } catch (error) {
    throw unreadable(path, (error as Error).message);
  }
}

export async function writeProfiles(path: string, file: ProfileFile): Promise<void> {
  const document = {
    ...(file.current === undefined ? {} : { current: file.current }),
    profiles: Object.fromEntries(file.profiles),
  };
  const draft = `${path}.new`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(draft, stringify(document), { mode: 0o600 });
  await rename(draft, path);
}

/** @throws {CliError} NOT_FOUND naming the profiles there are. */
export function profileNamed(file: ProfileFile, name: string): Profile {
  const profile = file.profiles.get(name);
  if (profile !== undefined) return profile;
  const known = [...file.profiles.keys()].join(', ');
  throw notFound(
    `no profile is called ${JSON.stringify(name)}`,
    known === ''
      ? 'There are none yet: "millrace profile set NAME bootstrap-server=HOST:PORT" makes one.'
      : `There are: ${known}.`,
  );
}

function fromDocument(document: unknown): ProfileFile {
  const root = asMapping(document ?? {}, 'the file');
  const profiles = new Map<string, Profile>();
  for (const [name, entries] of Object.entries(asMapping(root.profiles ?? {}, 'profiles'))) {
    const values = Object.entries(asMapping(entries ?? {}, `profile ${name}`));
    profiles.set(name, Object.fromEntries(values.map(([key, value]) => [key, String(value)])));
  }
  return { current: root.current === undefined ? undefined : String(root.current), profiles };
}

function asMapping(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${what} is not a mapping`);
  }
  return value as Record<string, unknown>;
}

function unreadable(path: string, reason: string): CliError {
  return new CliError(
    'PROFILE_FILE',
    EXIT.failed,
    `cannot read the profile file ${path}: ${reason}`,
    'Correct or remove it; MILLRACE_CLI_CONFIG names another one.',
  );
}
