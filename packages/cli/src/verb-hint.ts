/** For those who come from Kafka's own tools, where verbs are flags: `topic --list` means `topic list`. Pure. */
import type { Command, CommanderError } from 'commander';

/** What to write instead of an unknown flag that is a verb; undefined for any other error. */
export function verbHint(
  program: Command,
  argv: readonly string[],
  { code, message }: CommanderError,
): string | undefined {
  if (code !== 'commander.unknownOption') return undefined;
  const flag = /'--([\w-]+)/.exec(message)?.[1];
  const noun = program.commands.find((each) => argv.some((word) => isNameOf(word, each)));
  const verb = noun?.commands.find((each) => flag !== undefined && isNameOf(flag, each));
  return verb && `Verbs have no dashes here: millrace ${noun!.name()} ${verb.name()}.`;
}

export function isNameOf(word: string, command: Command): boolean {
  return command.name() === word || command.aliases().includes(word);
}
