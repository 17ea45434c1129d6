/** Both clusters side by side, warm, for the rows that need so many nodes; gone with their data at the end. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Comparison } from './comparison.ts';
import { KafkaSubject } from './kafka-subject.ts';
import { interruptedAfter, rdkafkaConsumer, rdkafkaProducer, type Tools } from './load-tools.ts';
import { MillraceSubject } from './millrace-subject.ts';
import {
  bootstrapOf,
  createTopic,
  deleteTopic,
  type Subject,
  type SubjectName,
  type TopicShape,
} from './subject.ts';

export interface Measuring {
  readonly tools: Tools;
  readonly folder: string;
  readonly pairs: number;
  /** Of each slice. */
  readonly sliceMs: number;
  readonly warmupMs: number;
  say(text: string): void;
}

interface Named {
  /** For `--only`. */
  readonly name: string;
}

/** A row runs in an arena of so many nodes, or starts by itself what it measures. */
export type VersusRow = Named &
  (
    | { readonly nodes: 1 | 3; run(measuring: Measuring, arena: Arena): Promise<readonly Comparison[]> }
    | { readonly nodes?: undefined; run(measuring: Measuring): Promise<readonly Comparison[]> }
  );

/** What a topic's acknowledged records rest on. */
export type Durability = 'page-cache' | 'durable';

export interface ArenaTopic {
  readonly partitions: number;
  readonly durability: Durability;
}

const SIDES = ['Millrace', 'Kafka'] as const;
const WARMUP_BYTES = [100, 1024] as const;

export class Arena {
  readonly nodes: number;
  readonly #subjects: Readonly<Record<SubjectName, Subject>>;
  #topics = 0;

  private constructor(nodes: number, millrace: Subject, kafka: Subject) {
    this.nodes = nodes;
    this.#subjects = { Millrace: millrace, Kafka: kafka };
  }

  static async run<T>(measuring: Measuring, nodes: number, use: (arena: Arena) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(measuring.folder, 'arena-'));
    const started: Subject[] = [];
    try {
      const kafka = await KafkaSubject.prepare(measuring.tools.kafka, nodes, folder);
      started.push(kafka);
      await kafka.start();
      const millrace = await MillraceSubject.start(nodes, folder);
      started.push(millrace);
      const arena = new Arena(nodes, millrace, kafka);
      await arena.#warmUp(measuring);
      return await use(arena);
    } finally {
      for (const subject of started) await subject.close();
      await rm(folder, { recursive: true, force: true });
    }
  }

  subject(side: SubjectName): Subject {
    return this.#subjects[side];
  }

  /** What producers ask for: with one replica its word, with three everybody's. */
  get acks(): 1 | -1 {
    return this.nodes === 1 ? 1 : -1;
  }

  /** Creates a topic with a name of its own and a replica on every node. */
  async newTopic(side: SubjectName, { partitions, durability }: ArenaTopic): Promise<string> {
    const subject = this.subject(side);
    const name = `versus-${++this.#topics}`;
    const configs = durability === 'durable' ? subject.durableConfigs : subject.pageCacheConfigs;
    const shape: TopicShape = { name, partitions, replicas: this.nodes, configs };
    await createTopic(subject, shape);
    return name;
  }

  /** Both sides' topics of such a shape, for as long as `use` takes. */
  async withTopics<T>(
    topic: ArenaTopic,
    use: (names: Readonly<Record<SubjectName, string>>) => Promise<T>,
  ): Promise<T> {
    const names = {
      Millrace: await this.newTopic('Millrace', topic),
      Kafka: await this.newTopic('Kafka', topic),
    };
    try {
      return await use(names);
    } finally {
      for (const side of SIDES) await deleteTopic(this.subject(side), names[side]);
    }
  }

  /** Both compilers of hot code get their time before anything counts. */
  async #warmUp({ tools, warmupMs, say }: Measuring): Promise<void> {
    say(`${this.nodes === 1 ? 'one node' : `${this.nodes} nodes`} each: warm-up`);
    for (const recordBytes of WARMUP_BYTES) {
      await this.withTopics({ partitions: 1, durability: 'page-cache' }, async (topics) => {
        for (const side of SIDES) {
          const subject = { bootstrap: bootstrapOf(this.subject(side)), topic: topics[side] };
          await interruptedAfter(
            rdkafkaProducer(tools, { ...subject, recordBytes, acks: this.acks }),
            warmupMs,
          );
          const consumer = rdkafkaConsumer(tools, { ...subject, partitions: 1, from: 'beginning' });
          await interruptedAfter(consumer, warmupMs);
        }
      });
    }
  }
}
