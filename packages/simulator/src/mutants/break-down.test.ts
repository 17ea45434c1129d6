/** What counts as the death of a mutant, and what does not. */
import { InvariantError, MillraceError } from '@millrace/core';
import { expect, test } from 'vitest';
import { World } from '../world/world.ts';
import { isBreakDown } from './break-down.ts';

/** What a world says of code that does this. */
async function failureOf(act: (world: World) => void): Promise<unknown> {
  const world = new World({ seed: 1 });
  world.process('p').start((life) => void world.schedule(1, () => act(world), life));
  return await world.run(10).then(
    () => undefined,
    (error: unknown) => error,
  );
}

test('a broken invariant of a world and an assertion of production are verdicts', async () => {
  expect(isBreakDown(await failureOf((world) => world.fail('invariant 1')))).toBe(false);
  const asserted = await failureOf(() => {
    throw new InvariantError('offsets ascend');
  });
  expect(asserted).toMatchObject({ violation: expect.stringContaining('offsets ascend') });
  expect(isBreakDown(asserted)).toBe(false);
  expect(isBreakDown(new MillraceError('LOG_DAMAGED', 'x'))).toBe(false);
});

test('code that makes no sense to the language breaks down, whatever wraps its error', async () => {
  const broken = await failureOf(() => {
    (undefined as unknown as () => void)();
  });
  expect(broken).toMatchObject({ violation: expect.stringContaining('not a function') });
  expect(isBreakDown(broken)).toBe(true);
  const wrapped = new MillraceError('UNKNOWN_SERVER_ERROR', 'x', { cause: new ReferenceError('y') });
  expect(isBreakDown(wrapped)).toBe(true);
});

test('a world whose time stands still has broken down', async () => {
  const endless = await failureOf((world) => {
    const again = (): void => void world.schedule(0, again);
    again();
  });
  expect(endless).toMatchObject({ violation: expect.stringContaining('time stands still') });
  expect(isBreakDown(endless)).toBe(true);
});
