/** `millrace group`: the tree of its verbs. What each does stands in the files beside this one. */
import { type Command, Option } from 'commander';
import { RepeatableOption } from '../flag-sources.ts';
import type { Shell } from '../shell.ts';
import { deleteGroups, deleteOffsets } from './group-delete.ts';
import { describeGroups, showLag, showMembers, showStates } from './group-describe.ts';
import { explainGroup } from './group-explain.ts';
import { listGroups } from './group-list.ts';
import { resetOffsets } from './group-reset.ts';

export function groupCommand(program: Command, shell: Shell): void {
  const group = program
    .command('group')
    .alias('groups')
    .description('Look at consumer groups, move their offsets, explain their rebalances.');
  addReadingVerbs(group, shell);
  addReset(group, shell);
  addDeletingVerbs(group, shell);
  group
    .command('explain <group>')
    .description('Tell what happened to a group lately, why, and how long members were without partitions.')
    .addHelpText(
      'after',
      `
The coordinator of the group keeps this history in memory: when another node takes over, it begins anew, and the first
line says so.

Example:
  millrace group explain billing`,
    )
    .action(shell.action(explainGroup));
}

function addReadingVerbs(group: Command, shell: Shell): void {
  group
    .command('list')
    .alias('ls')
    .description('List groups.')
    .option(
      '--state <list>',
      'only these: Empty, Stable, PreparingRebalance, CompletingRebalance, Assigning, Reconciling, Dead',
    )
    .option('--type <list>', 'only classic or consumer')
    .option('-r, --regex <pattern>', 'only names that match')
    .addHelpText('after', '\nExample:\n  millrace group list --state Empty')
    .action(shell.action(listGroups));
  group
    .command('describe [group...]')
    .description('Show offsets, lag and who reads each partition; of every group if none is named.')
    .addOption(new Option('--offsets', 'offsets and lag (the default)').conflicts(['members', 'state']))
    .addOption(new Option('--members', 'members and how much each reads').conflicts(['offsets', 'state']))
    .addOption(new Option('--state', 'state, coordinator, assignor').conflicts(['offsets', 'members']))
    .addHelpText('after', '\nExample:\n  millrace group describe billing --members -o wide')
    .action(shell.action(describeGroups));
  group
    .command('members [group...]')
    .description('Show the members of groups, and with -o wide what each reads.')
    .addHelpText('after', '\nExample:\n  millrace group members billing -o wide')
    .action(shell.action(showMembers));
  group
    .command('state [group...]')
    .description('Show state, coordinator and assignor of groups.')
    .addHelpText('after', '\nExample:\n  millrace group state billing')
    .action(shell.action(showStates));
  group
    .command('lag [group...]')
    .description('Show how far groups are behind, in records and in time; of every group if none is named.')
    .addHelpText(
      'after',
      '\nTIME-LAG is the age of the first record that is not consumed.\n\nExample:\n  millrace group lag billing',
    )
    .action(shell.action(showLag));
}

function addReset(group: Command, shell: Shell): void {
  group
    .command('reset <group>')
    .description('Show where offsets of a group without members would go; move them with --execute.')
    .addOption(new RepeatableOption('--topic <topic[:partitions]>', 'such as orders or orders:0,1,2'))
    .option('--all-topics', 'every topic that the group has committed offsets of')
    .option('--to-earliest', 'the oldest record that is kept')
    .option('--to-latest', 'the end: only what is still to come')
    .option('--to-current', 'where they are; the end where nothing is committed')
    .option('--to-offset <offset>', 'this offset')
    .option('--to-datetime <time>', 'the first record as new: ISO 8601, or ms since 1970')
    .option('--by-duration <duration>', 'the first record younger than this: P7D, PT1H30M, 1h, 2d')
    .option('--shift-by <records>', 'forwards, or backwards: --shift-by=-100')
    .option('--from-file <csv>', 'lines of topic,partition,offset, as --export writes them')
    .addOption(new Option('--execute', 'do it').conflicts('dryRun'))
    .option('--dry-run', 'only show it (the default)')
    .option('--export', 'print CSV for --from-file')
    .addHelpText(
      'after',
      `
Example:
  millrace group reset billing --topic orders --to-earliest
  millrace group reset billing --all-topics --by-duration 1h --execute`,
    )
    .action(shell.action(resetOffsets));
}

function addDeletingVerbs(group: Command, shell: Shell): void {
  group
    .command('delete <group...>')
    .alias('rm')
    .description('Delete groups without members, and what they have committed.')
    .option('--if-exists', 'succeed if the group does not exist')
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nExample:\n  millrace group delete billing --yes')
    .action(shell.action(deleteGroups));
  group
    .command('delete-offsets <group>')
    .description('Forget what a group has committed of topics that no member reads.')
    .addOption(new RepeatableOption('--topic <topic[:partitions]>', 'such as orders or orders:0,1,2'))
    .option('--all-topics', 'every topic that the group has committed offsets of')
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nExample:\n  millrace group delete-offsets billing --topic orders --yes')
    .action(shell.action(deleteOffsets));
}
