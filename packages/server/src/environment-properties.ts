/**
 * `MILLRACE_*` environment variables as configuration keys, by the rule of Kafka's container image:
 * `.` is written `_`, `_` is written `__`, `-` is written `___`. Only translates; validates nothing.
 */

const PREFIX = 'MILLRACE_';

/** The configuration keys that the environment sets. `isKey` keeps out variables meant for other programs. */
export function environmentProperties(
  environment: Readonly<Record<string, string | undefined>>,
  isKey: (name: string) => boolean,
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || !name.startsWith(PREFIX)) continue;
    const key = propertyOf(name.slice(PREFIX.length));
    if (isKey(key)) result[key] = value;
  }
  return result;
}

function propertyOf(variable: string): string {
  return variable.toLowerCase().replace(/_+/g, (run) => {
    const hyphens = '-'.repeat(Math.floor(run.length / 3));
    return hyphens + ['', '.', '_'][run.length % 3]!;
  });
}
