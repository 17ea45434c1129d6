/** Millrace in the same place: real processes with default settings, spoken to through their Kafka listener only. */
import { ClusterProcesses } from '../../cluster/cluster-processes.ts';
import { endsWithUs } from './ended-with-us.ts';
import { ON_SERVER_CORE } from './pinning.ts';
import { type RunningNode, type Subject, untilServing } from './subject.ts';

export class MillraceSubject implements Subject {
  readonly name = 'Millrace';
  readonly durableConfigs = { durability: 'fsync' };
  readonly pageCacheConfigs = { durability: 'page-cache' };
  readonly nodes: readonly RunningNode[];
  readonly #processes: ClusterProcesses;
  readonly #forget: () => void;

  private constructor(processes: ClusterProcesses) {
    this.#processes = processes;
    this.#forget = endsWithUs(() => {
      for (const node of processes.nodes) if (node.isRunning) node.kill('SIGKILL');
    });
    const addresses = processes.kafkaBootstrap.split(',');
    this.nodes = processes.nodes.map((node, index) => ({
      id: node.id,
      get pid() {
        return node.pid;
      },
      address: addresses[index]!,
      end: async (signal) => await node.end(signal),
      start: async () => await node.start(),
    }));
  }

  static async start(count: number, folder: string): Promise<MillraceSubject> {
    const options = { nodes: count, folder, kafka: true, launcher: ON_SERVER_CORE };
    const subject = new MillraceSubject(await ClusterProcesses.start(options));
    await untilServing(subject.nodes.map(({ address }) => address));
    return subject;
  }

  async close(): Promise<void> {
    await this.#processes.close();
    this.#forget();
  }
}
