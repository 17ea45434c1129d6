/**
 * `millrace completion`: scripts for shells, which ask the hidden `__complete` what could come next. The program
 * answers from its own tree of commands, and asks the cluster for names, briefly and silently. Never prints an error:
 * a shell would put it into the user's line.
 */
import { Argument, type Command, type Option } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { parseChoice } from '../option-values.ts';
import { printable } from '../printable.ts';
import type { Shell } from '../shell.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

const CLUSTER_WAIT_MS = 1_500;

export function completionCommand(program: Command, shell: Shell): void {
  program
    .command('completion')
    .description('Print a completion script for a shell.')
    .addArgument(new Argument('<shell>', SHELLS.join('|')).argParser(parseChoice(SHELLS)))
    .addHelpText('after', '\nExample:\n  source <(millrace completion bash)')
    .action(
      shell.action<object, [(typeof SHELLS)[number]]>(async (context, _options, name) => {
        await context.stdout.write(SCRIPTS[name]);
      }),
    );
  program
    .command('__complete [words...]', { hidden: true })
    .helpOption(false)
    .action(
      shell.action<object, [string[]]>(async (context, _options, words) => {
        const found = await completions(program, context, words);
        // A shell would write them into its own line as they are.
        const candidates = found.filter((candidate) => printable(candidate) === candidate);
        await context.stdout.write(candidates.map((candidate) => `${candidate}\n`).join(''));
      }),
    );
}

/** What may follow: `words` is the line after `millrace`, the last of them the one being written. */
async function completions(
  program: Command,
  context: CommandContext,
  words: readonly string[],
): Promise<string[]> {
  const current = words.at(-1) ?? '';
  const { command, positionals, pending } = walk(program, words.slice(0, -1));
  const candidates = pending
    ? flagValues(pending)
    : current.startsWith('-')
      ? flagsOf(command)
      : command.commands.length > 0 && positionals === 0
        ? visibleNames(command)
        : await argumentValues(context, command, positionals);
  return candidates.filter((candidate) => candidate.startsWith(current));
}

interface Place {
  readonly command: Command;
  readonly positionals: number;
  /** A flag that waits for its value. */
  readonly pending: Option | undefined;
}

function walk(program: Command, words: readonly string[]): Place {
  let command = program;
  let positionals = 0;
  let pending: Option | undefined;
  for (const word of words) {
    if (pending) {
      pending = undefined;
    } else if (word.startsWith('-')) {
      const option = optionsOf(command).find(({ short, long }) => word === short || word === long);
      pending = option && !option.isBoolean() ? option : undefined;
    } else {
      const child = command.commands.find((each) => each.name() === word || each.aliases().includes(word));
      if (child) command = child;
      else positionals += 1;
    }
  }
  return { command, positionals, pending };
}

function optionsOf(command: Command): Option[] {
  const own = [...command.options];
  return command.parent ? [...own, ...optionsOf(command.parent)] : own;
}

function flagsOf(command: Command): string[] {
  return [...optionsOf(command).flatMap((option) => option.long ?? []), '--help'];
}

function visibleNames(command: Command): string[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((child) => child.name());
}

function flagValues(option: Option): string[] {
  if (option.argChoices) return option.argChoices;
  const listed = /^[\w-]+(\|[\w-]+)+/.exec(option.description);
  return listed ? listed[0].split('|') : [];
}

async function argumentValues(
  context: CommandContext,
  command: Command,
  positionals: number,
): Promise<string[]> {
  const declared = command.registeredArguments;
  const argument = declared[positionals] ?? (declared.at(-1)?.variadic ? declared.at(-1) : undefined);
  switch (argument?.name()) {
    case 'topic':
      return clusterNames(context, topicNames);
    case 'group':
      return clusterNames(context, groupIds);
    case 'broker':
      return clusterNames(context, brokerIds);
    case 'shell':
      return [...SHELLS];
    default:
      return [];
  }
}

/** Names from the cluster, or none if it does not answer while somebody waits for a key press to take effect. */
async function clusterNames(
  context: CommandContext,
  ask: (context: CommandContext) => Promise<string[]>,
): Promise<string[]> {
  const waiting = new Promise<string[]>((resolve) => {
    const timer = context.environment.clock.schedule(CLUSTER_WAIT_MS, () => resolve([]));
    context.onClose(async () => timer.cancel());
  });
  return Promise.race([ask(context).catch(() => []), waiting]);
}

async function topicNames(context: CommandContext): Promise<string[]> {
  return context.admin().listTopics({ ...context.callOptions(), timeoutMs: CLUSTER_WAIT_MS });
}

async function groupIds(context: CommandContext): Promise<string[]> {
  const groups = await context.admin().listGroups({ ...context.callOptions(), timeoutMs: CLUSTER_WAIT_MS });
  return groups.map(({ groupId }) => groupId);
}

async function brokerIds(context: CommandContext): Promise<string[]> {
  const { brokers } = await context
    .admin()
    .describeCluster({ ...context.callOptions(), timeoutMs: CLUSTER_WAIT_MS });
  return brokers.map(({ id }) => String(id));
}

const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], string>> = {
  bash: `# millrace completion for bash: source <(millrace completion bash)
_millrace() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(
    millrace __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null
  )
}
complete -o default -F _millrace millrace
`,
  zsh: `#compdef millrace
# millrace completion for zsh: source <(millrace completion zsh)
_millrace() {
  local -a candidates
  candidates=("\${(@f)$(millrace __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a candidates
}
compdef _millrace millrace
`,
  fish: `# millrace completion for fish: millrace completion fish | source
complete -c millrace -f -a '(millrace __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`,
};
