/** `millrace broker`: the brokers, and what each carries. */
import type { BrokerInfo, ClusterInfo, TopicInfo } from '@millrace/client';
import type { Command } from 'commander';
import { notFound, usageError } from '../cli-error.ts';
import { type Column, printColumns, printFields } from '../column-printer.ts';
import type { CommandContext } from '../command-context.ts';
import type { Shell } from '../shell.ts';

export function brokerCommand(program: Command, shell: Shell): void {
  const broker = program.command('broker').alias('brokers').description('Look at brokers.');
  broker
    .command('list')
    .alias('ls')
    .description('List brokers with address and state.')
    .addHelpText('after', '\nExample:\n  millrace broker list -o wide')
    .action(shell.action(listBrokers));
  broker
    .command('describe <broker>')
    .description('Show one broker and how many partitions it leads and follows.')
    .addHelpText('after', '\nExample:\n  millrace broker describe 1')
    .action(shell.action(describeBroker));
}

export const BROKER_COLUMNS: readonly Column<BrokerInfo>[] = [
  { heading: 'ID', align: 'right', cell: (broker) => broker.id },
  { heading: 'HOST', cell: (broker) => broker.host },
  { heading: 'PORT', align: 'right', cell: (broker) => broker.port },
  { heading: 'RACK', cell: (broker) => broker.rack },
  { heading: 'STATE', cell: stateOf },
  { heading: 'EPOCH', align: 'right', wide: true, cell: (broker) => broker.brokerEpoch },
];

/** By id: the cluster answers in whatever order it knows them. */
export function sortedBrokers({ brokers }: ClusterInfo): readonly BrokerInfo[] {
  return brokers.toSorted((a, b) => a.id - b.id);
}

export function brokerValue(broker: BrokerInfo): object {
  return {
    id: broker.id,
    host: broker.host,
    port: broker.port,
    rack: broker.rack === '' ? null : broker.rack,
    state: stateOf(broker),
    brokerEpoch: String(broker.brokerEpoch),
  };
}

async function listBrokers(context: CommandContext): Promise<void> {
  const brokers = sortedBrokers(await context.admin().describeCluster(context.callOptions()));
  await context.show({
    value: { brokers: brokers.map(brokerValue) },
    text: (wide) => printColumns(BROKER_COLUMNS, brokers, { wide }),
    names: () => brokers.map(({ id }) => String(id)),
  });
}

async function describeBroker(context: CommandContext, _flags: object, idText: string): Promise<void> {
  if (!/^\d+$/.test(idText))
    throw usageError(`${JSON.stringify(idText)} is not a broker id`, 'Ids are numbers.');
  const cluster = await context.admin().describeCluster(context.callOptions());
  const broker = cluster.brokers.find(({ id }) => id === Number(idText));
  if (!broker) {
    const known = sortedBrokers(cluster)
      .map(({ id }) => id)
      .join(', ');
    throw notFound(`no broker has the id ${idText}`, `There are: ${known === '' ? 'none' : known}.`);
  }
  const topics = await context.admin().describeTopics(undefined, context.callOptions());
  const load = loadOf(broker.id, topics);
  const isController = cluster.controllerId === broker.id;
  await context.show({
    value: { ...brokerValue(broker), activeController: isController, ...load },
    text: () =>
      printFields([
        ['Id', broker.id],
        ['Address', `${broker.host}:${broker.port}`],
        ['Rack', broker.rack],
        ['State', stateOf(broker)],
        ['Broker epoch', broker.brokerEpoch],
        ['Active controller', isController ? 'yes' : 'no'],
        ['Partitions led', load.leaderCount],
        ['Replicas', load.replicaCount],
        ['Out of sync', load.outOfSyncCount],
      ]),
    names: () => [idText],
  });
}

interface BrokerLoad {
  readonly leaderCount: number;
  readonly replicaCount: number;
  readonly outOfSyncCount: number;
}

function loadOf(id: number, topics: readonly TopicInfo[]): BrokerLoad {
  const hosted = topics
    .flatMap(({ partitions }) => partitions)
    .filter(({ replicas }) => replicas.includes(id));
  return {
    leaderCount: hosted.filter(({ leader }) => leader === id).length,
    replicaCount: hosted.length,
    outOfSyncCount: hosted.filter(({ isr }) => !isr.includes(id)).length,
  };
}

function stateOf({ fenced, inControlledShutdown }: BrokerInfo): string {
  if (inControlledShutdown) return 'shutting-down';
  return fenced ? 'fenced' : 'active';
}
