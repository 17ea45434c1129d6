/** How a broken promise is named, in whatever world: so that people, shrinking and lists of known failures know it again. */
import type { World } from './world.ts';

/** @returns what to call with the facts, and with what kind of failure it is if there are several; it does not return. */
export function verdictOf(
  world: World,
  { number, name }: { readonly number: number; readonly name: string },
): (text: string, kind?: string) => never {
  return (text, kind) =>
    world.fail(`invariant ${number} ${name}${kind === undefined ? '' : `, ${kind}`}: ${text}`);
}
