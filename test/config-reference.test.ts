/** The configuration reference in deploy/ is what the schemas say. `npx vitest run test/config-reference.test.ts -u` writes it anew. */
import { configReference, NODE_SCHEMAS } from '@millrace/server';
import { expect, test } from 'vitest';

test('deploy/CONFIG.md lists every key as the code declares it', async () => {
  await expect(configReference()).toMatchFileSnapshot('../deploy/CONFIG.md');
});

test('no key is declared twice', () => {
  const names = NODE_SCHEMAS.flatMap((schema) => Object.keys(schema.keys));
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

test('every key says what it is for', () => {
  const silent = NODE_SCHEMAS.flatMap((schema) =>
    Object.entries(schema.keys)
      .filter(([, key]) => key.doc.length < 15)
      .map(([name]) => name),
  );
  expect(silent).toEqual([]);
});
