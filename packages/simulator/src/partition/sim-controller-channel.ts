/** How a broker of a partition world reaches the model controller: requests, its session, the metadata log. One for each life. */
import type {
  BrokerHeartbeat,
  BrokerRegistration,
  BrokerState,
  ControllerChannel,
  ControllerSession,
  ControllerSessionHandlers,
  MetadataLogEntry,
  MetadataSubscription,
} from '@millrace/broker';
import { MillraceError } from '@millrace/core';
import type { SimLife } from '../world/sim-process.ts';
import { Caller } from './calls.ts';
import type { MessageStreams, StreamEnd } from './message-streams.ts';
import { CONTROLLER, type ControllerHello } from './model-controller.ts';

type Follower = Parameters<ControllerChannel['followMetadata']>[1];

type MetadataMessage =
  | { readonly snapshot: Buffer; readonly nextOffset: number }
  | { readonly entries: readonly MetadataLogEntry[]; readonly nextOffset: number };

const RECONNECT_MS = 50;

export function simControllerChannel(streams: MessageStreams, life: SimLife): ControllerChannel {
  const caller = new Caller(streams, life, CONTROLLER, 'requests');
  const asking =
    <Request extends { readonly timeoutMs: number }, Reply>(method: string) =>
    (request: Request): Promise<Reply> =>
      caller.call<Reply>(method, request, request.timeoutMs);
  const refuse = (): Promise<never> =>
    Promise.reject(new MillraceError('INVALID_REQUEST', 'not in this world'));
  return {
    openSession: (registration, handlers) => openSession(streams, life, registration, handlers),
    alterPartitions: asking('alterPartitions'),
    allocateProducerIds: asking('allocateProducerIds'),
    createTopics: asking('createTopics'),
    deleteTopics: asking('deleteTopics'),
    createPartitions: refuse,
    alterConfigs: asking('alterConfigs'),
    electLeaders: asking('electLeaders'),
    describeQuorum: refuse,
    addVoter: refuse,
    removeVoter: refuse,
    followMetadata: (fromOffset, follower) => new MetadataStream(streams, life, fromOffset, follower),
  };
}

function openSession(
  streams: MessageStreams,
  life: SimLife,
  registration: BrokerRegistration,
  handlers: ControllerSessionHandlers,
): ControllerSession {
  const hello: ControllerHello = { kind: 'session' };
  let isClosed = false;
  const end = streams.connect(life, CONTROLLER, hello, {
    onMessage: (state) => handlers.onState(state as BrokerState),
    onClosed: () => handlers.onClosed(new MillraceError('NETWORK_EXCEPTION')),
  });
  end?.send(registration);
  if (end === undefined) {
    life.clock.schedule(1, () => {
      if (!isClosed) handlers.onClosed(new MillraceError('CONNECTION_FAILED'));
    });
  }
  return {
    heartbeat: (beat: BrokerHeartbeat) => end?.send(beat),
    close: () => {
      isClosed = true;
      end?.close();
    },
  };
}

class MetadataStream implements MetadataSubscription {
  readonly #streams: MessageStreams;
  readonly #life: SimLife;
  readonly #follower: Follower;
  #next: number;
  #end: StreamEnd | undefined;
  #isClosed = false;

  constructor(streams: MessageStreams, life: SimLife, from: number, follower: Follower) {
    this.#streams = streams;
    this.#life = life;
    this.#next = from;
    this.#follower = follower;
    this.#connect();
  }

  close(): void {
    this.#isClosed = true;
    this.#end?.close();
  }

  #connect(): void {
    if (this.#isClosed) return;
    const hello: ControllerHello = { kind: 'metadata', from: this.#next };
    this.#end = this.#streams.connect(this.#life, CONTROLLER, hello, {
      onMessage: (message) => this.#received(message as MetadataMessage),
      onClosed: () => {
        this.#follower.onController(-1);
        this.#connectLater();
      },
    });
    if (this.#end === undefined) this.#connectLater();
    else this.#life.clock.schedule(0, () => this.#follower.onController(0));
  }

  #connectLater(): void {
    this.#life.clock.schedule(RECONNECT_MS, () => this.#connect());
  }

  #received(message: MetadataMessage): void {
    if (this.#isClosed) return;
    this.#next = message.nextOffset;
    if ('snapshot' in message) this.#follower.onSnapshot(message.snapshot, message.nextOffset);
    else this.#follower.onEntries(message.entries, message.nextOffset);
  }
}
