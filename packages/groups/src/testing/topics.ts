/** Topics for tests: names with partition counts, and racks where a test names them. */
import type { TopicsView, TopicView } from '../group-record.ts';

export type TopicCounts = Readonly<Record<string, number>>;

/** Every call gives a newer view than the one before, as metadata does. Ids follow from names. */
export class TestTopics {
  #version = 0;
  #topics: readonly TopicView[] = [];
  readonly #lives = new Map<string, number>();

  constructor(counts: TopicCounts = {}) {
    this.set(counts);
  }

  /** @param racks of each partition; none by default. */
  set(counts: TopicCounts, racks: (partition: number) => readonly string[] = () => []): void {
    this.#version++;
    this.#topics = Object.entries(counts).map(([name, partitionCount]) => ({
      topicId: topicIdOf(`${this.#lives.get(name) ?? ''}${name}`),
      name,
      partitionCount,
      racksOf: racks,
    }));
  }

  /** The topic is deleted and created again: another id under the same name. */
  recreate(name: string): void {
    this.#lives.set(name, (this.#lives.get(name) ?? 0) + 1);
    this.set(Object.fromEntries(this.#topics.map((topic) => [topic.name, topic.partitionCount])));
  }

  get view(): TopicsView {
    const topics = this.#topics;
    return {
      version: this.#version,
      byName: (name) => topics.find((topic) => topic.name === name),
      byId: (topicId) => topics.find((topic) => topic.topicId === topicId),
      names: () => topics.map(({ name }) => name),
    };
  }
}

/** 16 bytes, as the log has it. Names that begin alike for long have the same. */
export function topicIdOf(name: string): string {
  return `${`id-of-${name}`.replaceAll('.', '_').slice(0, 21).padEnd(21, '-')}A`;
}
