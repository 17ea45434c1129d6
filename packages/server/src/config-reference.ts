/** The reference page of every configuration key, out of the schemas that declare them. Pure. */
import { clientConfig, consumerConfig, producerConfig } from '@millrace/client';
import type { ConfigKeys, ConfigSchema } from '@millrace/core';
import { topicConfig } from '@millrace/metadata';
import { NODE_SCHEMAS } from './node-config.ts';

interface Section {
  readonly title: string;
  readonly text: string;
  readonly schemas: readonly ConfigSchema<ConfigKeys>[];
}

const SECTIONS: readonly Section[] = [
  {
    title: 'Nodes',
    text: 'In `server.properties`, as `MILLRACE_*` in the environment (`node.id` is `MILLRACE_NODE_ID`), or with `-X key=value`.',
    schemas: NODE_SCHEMAS,
  },
  {
    title: 'Topics',
    text: 'With `topic create -c key=value` or `topic config set`. The default of a key can be changed for a node in its file and for the cluster with `config set`.',
    schemas: [topicConfig],
  },
  {
    title: 'Clients',
    text: 'Options of `new Millrace(…)`, `producer(…)` and `consumer(…)`; on the command line with `-X`, also by the names that Kafka uses (`linger.ms`).',
    schemas: [clientConfig, producerConfig, consumerConfig],
  },
];

/** The page as Markdown. */
export function configReference(): string {
  const sections = SECTIONS.map(({ title, text, schemas }) =>
    [`## ${title}`, text, ...schemas.map((schema) => table(schema, schemas.length > 1))].join('\n\n'),
  );
  return `# Configuration\n\nEvery key, its type, range and default. Generated from the declarations in the code.\n\n${sections.join('\n\n')}\n`;
}

function table(schema: ConfigSchema<ConfigKeys>, withTitle: boolean): string {
  const rows = Object.entries(schema.keys).map(([name, key]) => {
    const value = key.format(key.default);
    return `| \`${name}\` | ${key.type} | ${cell(key.range)} | ${value === '' ? '' : `\`${cell(value)}\``} | ${cell(key.doc)} |`;
  });
  const title = withTitle ? [`### ${schema.title[0]!.toUpperCase()}${schema.title.slice(1)}`, ''] : [];
  return [...title, '| key | type | range | default | what it does |', '|---|---|---|---|---|', ...rows].join(
    '\n',
  );
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
