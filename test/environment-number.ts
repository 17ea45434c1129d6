/** Numbers that a suite is told through its environment. */

/**
 * @returns what reads one: the number of that name, or `otherwise` if it is not set; it throws a RangeError that names the
 * variable and what it may be.
 */
export function environmentNumber(
  env: Readonly<Record<string, string | undefined>>,
): (name: string, otherwise: number, least: number, most: number) => number {
  return (name, otherwise, least, most) => {
    const text = env[name];
    if (text === undefined) return otherwise;
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new RangeError(`${name}=${text}: must be a whole number from ${least} to ${most}`);
  };
}
