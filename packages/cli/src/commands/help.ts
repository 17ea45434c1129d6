/** `millrace help topic create`: the help of any command, and an error instead of help for one that does not exist. */
import type { Command } from 'commander';
import { usageError } from '../cli-error.ts';
import { closest } from '../closest-name.ts';
import { isNameOf } from '../verb-hint.ts';

export function helpCommand(program: Command): void {
  program.helpCommand(false);
  program
    .command('help [command...]')
    .description('Show how a command is used.')
    .addHelpText('after', '\nExample:\n  millrace help topic create')
    .action((words: readonly string[]) => {
      let at = program;
      for (const word of words) at = childOf(at, word);
      at.help();
    });
}

function childOf(parent: Command, word: string): Command {
  const child = parent.commands.find((each) => isNameOf(word, each));
  if (child) return child;
  const near = closest(
    word,
    parent.commands.map((each) => each.name()),
  );
  throw usageError(
    `${parent.name()} has no command ${JSON.stringify(word)}`,
    near === undefined ? '--help shows which there are.' : `Did you mean ${near}?`,
  );
}
