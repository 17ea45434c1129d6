/** Apache Kafka's own tools, fetched by Maven and run by Java. Only runs them; judging is the tests' part. */
import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const OUTPUT_MAX_BYTES = 256 * 1024 * 1024;

export class KafkaTools {
  readonly #classPath: string;

  private constructor(classPath: string) {
    this.#classPath = classPath;
  }

  /** Puts the jars into `folder`. */
  static async fetch(folder: string): Promise<KafkaTools> {
    await cp(join(here, 'pom.xml'), join(folder, 'pom.xml'));
    const flags = ['-DincludeScope=runtime', '-DoutputDirectory=lib'];
    await execute('mvn', ['-q', '-B', 'dependency:copy-dependencies', ...flags], { cwd: folder });
    return new KafkaTools(join(folder, 'lib', '*'));
  }

  /** The same tools with another version of kafka-clients before them, whose jar is put into `folder`. */
  async withClients(folder: string, version: string): Promise<KafkaTools> {
    const artifact = `-Dartifact=org.apache.kafka:kafka-clients:${version}`;
    await execute('mvn', ['-q', '-B', 'dependency:copy', artifact, `-DoutputDirectory=${folder}`]);
    return new KafkaTools([join(folder, `kafka-clients-${version}.jar`), this.#classPath].join(delimiter));
  }

  /** What KafkaMessages.java tells of the messages of these APIs, line by line. */
  async messages(apiKeys: readonly number[]): Promise<string[]> {
    const { stdout } = await execute(
      'java',
      ['-cp', this.#classPath, join(here, 'KafkaMessages.java'), ...apiKeys.map(String)],
      { maxBuffer: OUTPUT_MAX_BYTES },
    );
    return stdout.trimEnd().split('\n');
  }

  /** What DumpLogSegments prints of a file. */
  async dump(file: string, ...flags: string[]): Promise<string> {
    const { stdout, stderr } = await execute(
      'java',
      ['-cp', this.#classPath, 'kafka.tools.DumpLogSegments', ...flags, '--files', file],
      { maxBuffer: OUTPUT_MAX_BYTES },
    );
    return stdout + stderr;
  }
}
