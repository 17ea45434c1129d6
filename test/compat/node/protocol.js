/**
 * The conversation of a client program with the suite: a JSON command a line comes in, its answer a line goes out.
 * Commands are taken one after the other. A client lacks what its program has no function for.
 */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const FLOW_PAUSE_MS = 5;
const FLOW_IN_FLIGHT_MAX = 50;

/** A member of a group: what it holds and what it has got. */
export class Member {
  assignment = [];
  records = [];

  got(partition, offset, value) {
    this.records.push([partition, Number(offset), value?.toString() ?? null]);
  }

  state() {
    return { assignment: [...this.assignment].sort((a, b) => a - b), records: this.records };
  }
}

/** Numbered records through `send(value)` until it is told to end; remembers which were acknowledged. */
export class Flow {
  #send;
  #close;
  #isEnding = false;
  #running;
  #acknowledged = [];
  #failures = [];

  constructor(send, close) {
    this.#send = send;
    this.#close = close;
    this.#running = this.#run();
  }

  async #run() {
    const pending = new Set();
    for (let number = 0; !this.#isEnding; number++) {
      const value = String(number);
      const sent = this.#send(value).then(
        () => this.#acknowledged.push(value),
        (error) => this.#failures.push(describeError(error)),
      );
      pending.add(sent);
      void sent.finally(() => pending.delete(sent));
      await (pending.size < FLOW_IN_FLIGHT_MAX ? sleep(FLOW_PAUSE_MS) : Promise.race(pending));
    }
    await Promise.all(pending);
    await this.#close();
  }

  state() {
    return { acknowledged: this.#acknowledged.length, failures: this.#failures.slice(0, 5) };
  }

  async end() {
    this.#isEnding = true;
    await this.#running;
    return { acknowledged: this.#acknowledged, failures: this.#failures.slice(0, 5) };
  }
}

function describeError(error) {
  const causes = (error.errors ?? []).map(describeError);
  return [error.stack, ...causes].join('\ncaused by ');
}

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

export async function serve(version, codecs, commands) {
  const members = new Map();
  const flows = new Map();
  const table = {
    ...commands,
    join: async ({ member, ...options }) => void members.set(member, await commands.join(options)),
    member: ({ member }) => members.get(member).state(),
    leave: async ({ member }) => {
      await members.get(member).leave();
      return members.get(member).state();
    },
    flow: async ({ topic }) => void flows.set(topic, await commands.flow({ topic })),
    flowState: ({ topic }) => flows.get(topic).state(),
    endFlow: ({ topic }) => flows.get(topic).end(),
  };
  say({ version, codecs, can: Object.keys(table).sort() });
  for await (const line of createInterface({ input: process.stdin })) {
    const { do: name, ...options } = JSON.parse(line);
    try {
      say({ result: (await table[name](options)) ?? null });
    } catch (error) {
      say({ error: describeError(error) });
    }
  }
  process.exit(0);
}
