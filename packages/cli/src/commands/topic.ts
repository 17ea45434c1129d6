/** `millrace topic`: the tree of its verbs. What each does stands in the files beside this one. */
import { type Command, Option } from 'commander';
import { RepeatableOption } from '../flag-sources.ts';
import { parseCount32, parsePartitions } from '../option-values.ts';
import type { Shell } from '../shell.ts';
import { addConfigVerbs } from './config.ts';
import { describeTopics } from './topic-describe.ts';
import { addPartitions, createTopics, deleteTopics, listTopics } from './topic-lifecycle.ts';
import { showOffsets, truncateTopic } from './topic-offsets.ts';

export function topicCommand(program: Command, shell: Shell): void {
  const topic = program
    .command('topic')
    .alias('topics')
    .description('Create, look at, change and delete topics.');
  addLifecycleVerbs(topic, shell);
  addReadingVerbs(topic, shell);
  topic
    .command('offsets <topic>')
    .description('Show the first and the next offset of each partition, or the offset at a time.')
    .addOption(new Option('--time <when>', 'earliest|latest|max-timestamp, ms, or ISO 8601'))
    .addOption(partitionsOption())
    .addHelpText('after', '\nExample:\n  millrace topic offsets orders --time 2026-03-01T12:00:00Z')
    .action(shell.action(showOffsets));
  topic
    .command('truncate <topic>')
    .description('Delete the records before an offset; they cannot be brought back.')
    .requiredOption('--before <offset>', 'first offset to keep; "end" deletes all that readers can see')
    .addOption(partitionsOption())
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nExample:\n  millrace topic truncate orders --before 1000 -p 0 --yes')
    .action(shell.action(truncateTopic));
  const config = topic
    .command('config')
    .alias('configs')
    .description('Read and change the configuration of a topic.');
  addConfigVerbs(config, shell, '<topic>', 'orders', (name) => ({ kind: 'topic', name }));
}

function addLifecycleVerbs(topic: Command, shell: Shell): void {
  topic
    .command('create <name...>')
    .description('Create topics.')
    .addOption(
      new Option('-p, --partitions <count>', "partitions (default: the cluster's num.partitions)").argParser(
        parseCount32,
      ),
    )
    .addOption(
      new Option(
        '-r, --replication-factor <count>',
        "replicas of each partition (default: the cluster's default.replication.factor)",
      ).argParser(parseCount32),
    )
    .addOption(
      new RepeatableOption('-c, --config <key=value>', 'topic configuration, such as retention.ms=60000'),
    )
    .option('--if-not-exists', 'succeed if the topic exists already')
    .option('--dry-run', 'check everything and create nothing')
    .addHelpText('after', '\nExample:\n  millrace topic create orders -p 6 -r 3 -c min.insync.replicas=2')
    .action(shell.action(createTopics));
  topic
    .command('delete <topic...>')
    .alias('rm')
    .description('Delete topics with all their records; they cannot be brought back.')
    .option('--if-exists', 'succeed if the topic does not exist')
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nExample:\n  millrace topic delete orders --yes')
    .action(shell.action(deleteTopics));
  topic
    .command('add-partitions <topic>')
    .description('Add partitions to a topic; keys may map to other partitions afterwards.')
    .addOption(
      new Option('-p, --partitions <total>', 'the new total').argParser(parseCount32).conflicts('by'),
    )
    .addOption(new Option('--by <count>', 'how many to add').argParser(parseCount32))
    .option('--dry-run', 'check everything and add nothing')
    .addHelpText('after', '\nExample:\n  millrace topic add-partitions orders -p 12')
    .action(shell.action(addPartitions));
}

function addReadingVerbs(topic: Command, shell: Shell): void {
  topic
    .command('list')
    .alias('ls')
    .description('List topics.')
    .option('--internal', 'with internal topics')
    .option('-r, --regex <pattern>', 'only names that match')
    .addHelpText('after', '\nExample:\n  millrace topic list -r "^orders"')
    .action(shell.action(listTopics));
  topic
    .command('describe [topic...]')
    .description('Show leader, replicas, ISR and ELR of each partition; of every topic if none is named.')
    .option('--under-replicated', 'only partitions with fewer in-sync replicas than replicas')
    .option('--unavailable', 'only partitions without a leader')
    .option('--under-min-isr', 'only partitions below min.insync.replicas: acks=all writes fail')
    .option('--at-min-isr', 'only partitions that one more lost replica makes unwritable')
    .addHelpText('after', '\nExample:\n  millrace topic describe orders --under-replicated')
    .action(shell.action(describeTopics));
}

function partitionsOption(): Option {
  return new Option('-p, --partition <list>', 'only these, such as 0,2,5-7').argParser(parsePartitions);
}
