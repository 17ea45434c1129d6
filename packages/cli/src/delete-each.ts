/** Deletes what is named, one after another, and shows what is gone. Whether that is wanted has been asked before. */
import { type ErrorCode, MillraceError } from '@millrace/core';
import type { CommandContext } from './command-context.ts';
import { quotedName } from './printable.ts';
import { settleEach, throwFailures } from './settle.ts';

export interface Deletion {
  readonly noun: 'topic' | 'group';
  /** The refusal when there is nothing of that name. */
  readonly missing: ErrorCode;
  /** Of what is missing, only a note is made. */
  readonly ifExists: boolean;
  readonly remove: (name: string) => Promise<void>;
}

/** @throws the failure, or all of them, after the rest has been shown. */
export async function deleteEach(
  context: CommandContext,
  names: readonly string[],
  { noun, missing, ifExists, remove }: Deletion,
): Promise<void> {
  const { done, failures } = await settleEach(names, async (name) => {
    try {
      await remove(name);
      return name;
    } catch (error) {
      if (!ifExists || !(error instanceof MillraceError) || error.code !== missing) throw error;
      context.note(`${noun === 'topic' ? 'Topic' : 'Group'} ${quotedName(name)} does not exist.`);
      return undefined;
    }
  });
  const deleted = done.filter((name) => name !== undefined);
  await context.show({
    value: { deleted },
    text: () => deleted.map((name) => `Deleted ${noun} ${quotedName(name)}.\n`).join(''),
    names: () => deleted,
  });
  throwFailures(failures);
}
