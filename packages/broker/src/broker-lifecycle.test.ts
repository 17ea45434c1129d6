/** A broker's life: registration, heartbeats, lost controllers, taken ids, controlled shutdown. */
import { ManualClock, MillraceError, silentLogger } from '@millrace/core';
import type { MetadataImage } from '@millrace/metadata';
import { beforeEach, describe, expect, test } from 'vitest';
import { BrokerLifecycle } from './broker-lifecycle.ts';
import type {
  BrokerHeartbeat,
  BrokerRegistration,
  BrokerState,
  ControllerSessionHandlers,
} from './controller-channel.ts';
import { failure } from './failure.ts';

const HEARTBEAT_MS = 2000;
const SESSION_MS = 9000;
const REGISTRATION_MS = 30_000;

class FakeSession {
  readonly heartbeats: BrokerHeartbeat[] = [];
  isClosed = false;
  readonly registration: BrokerRegistration;
  readonly handlers: ControllerSessionHandlers;
  constructor(registration: BrokerRegistration, handlers: ControllerSessionHandlers) {
    this.registration = registration;
    this.handlers = handlers;
  }
  heartbeat(beat: BrokerHeartbeat): void {
    this.heartbeats.push(beat);
  }
  close(): void {
    this.isClosed = true;
  }
  answer(state: Partial<BrokerState>): void {
    this.handlers.onState({ brokerEpoch: 7, fenced: false, mayShutDown: false, ...state });
  }
}

let clock: ManualClock;
let sessions: FakeSession[];
let registered: number[];
let refused: MillraceError[];
let lifecycle: BrokerLifecycle;

beforeEach(() => {
  clock = new ManualClock();
  sessions = [];
  registered = [];
  refused = [];
  lifecycle = new BrokerLifecycle({
    nodeId: 1,
    incarnationId: 'life',
    directoryId: 'directory',
    endpoints: [],
    rack: '',
    previousBrokerEpoch: -1,
    controllers: {
      openSession: (registration, handlers) => {
        const session = new FakeSession(registration, handlers);
        sessions.push(session);
        return session;
      },
    },
    clock,
    logger: silentLogger,
    heartbeatIntervalMs: HEARTBEAT_MS,
    sessionTimeoutMs: SESSION_MS,
    registrationTimeoutMs: REGISTRATION_MS,
    metadataOffset: () => 42,
    offlineReplicas: () => [{ topicId: 'topic', partition: 3 }],
    onRegistered: (epoch) => registered.push(epoch),
    onRefused: (error) => refused.push(error),
  });
  lifecycle.start();
});

const last = (): FakeSession => sessions.at(-1)!;

describe('a registered broker', () => {
  test('beats at the interval and says how far it is and what is offline', () => {
    last().answer({});
    clock.advance(HEARTBEAT_MS);
    last().answer({});
    clock.advance(HEARTBEAT_MS);
    expect(last().heartbeats).toHaveLength(2);
    expect(last().heartbeats[0]).toMatchObject({
      brokerEpoch: 7,
      metadataOffset: 42,
      wantsShutdown: false,
      offline: [{ topicId: 'topic', partition: 3 }],
    });
    expect(registered).toEqual([7]);
  });

  test('beats often while it is fenced', () => {
    last().answer({ fenced: true });
    for (let i = 0; i < 10; i++) {
      clock.advance(20);
      last().answer({ fenced: true });
    }
    expect(last().heartbeats.length).toBe(10);
  });

  test('registers again at another controller when the stream breaks, and keeps its epoch', () => {
    last().answer({});
    last().handlers.onClosed(new MillraceError('NETWORK_EXCEPTION'));
    clock.advance(100);
    expect(sessions).toHaveLength(2);
    last().answer({});
    expect(registered).toEqual([7]);
    expect(lifecycle.brokerEpoch).toBe(7);
  });

  test('takes the new epoch when the controller forgot it', () => {
    last().answer({});
    clock.advance(HEARTBEAT_MS);
    last().answer({ failure: failure('STALE_BROKER_EPOCH') });
    clock.advance(100);
    last().answer({ brokerEpoch: 9 });
    expect(registered).toEqual([7, 9]);
  });

  test('gives a silent controller up after the session timeout', () => {
    last().answer({});
    clock.advance(HEARTBEAT_MS + SESSION_MS + HEARTBEAT_MS + 100);
    expect(sessions.length).toBeGreaterThan(1);
    expect(sessions[0]!.isClosed).toBe(true);
  });

  test('ignores what an abandoned session still says', () => {
    last().answer({});
    const old = last();
    old.handlers.onClosed(new MillraceError('NETWORK_EXCEPTION'));
    clock.advance(100);
    old.answer({ brokerEpoch: 1000 });
    expect(lifecycle.brokerEpoch).toBe(7);
  });
});

describe('a taken id', () => {
  test('is waited for while the session of a former life may still be there', () => {
    for (let passedMs = 0; passedMs < SESSION_MS; passedMs += HEARTBEAT_MS) {
      last().answer({ failure: failure('DUPLICATE_BROKER_REGISTRATION') });
      clock.advance(HEARTBEAT_MS);
    }
    last().answer({});
    expect(refused).toEqual([]);
    expect(registered).toEqual([7]);
  });

  test('is waited for when the last request of a former life came after the own one', () => {
    last().answer({});
    last().answer({ failure: failure('STALE_BROKER_EPOCH') });
    clock.advance(HEARTBEAT_MS);
    last().answer({ failure: failure('DUPLICATE_BROKER_REGISTRATION') });
    expect(refused).toEqual([]);
    clock.advance(HEARTBEAT_MS);
    last().answer({ brokerEpoch: 9 });
    expect(registered).toEqual([7, 9]);
  });

  test('is fatal at once to a broker that has run for long', () => {
    last().answer({});
    clock.advance(REGISTRATION_MS);
    last().answer({ failure: failure('STALE_BROKER_EPOCH') });
    clock.advance(HEARTBEAT_MS);
    last().answer({ failure: failure('DUPLICATE_BROKER_REGISTRATION') });
    expect(refused.map(({ code }) => code)).toEqual(['DUPLICATE_BROKER_REGISTRATION']);
  });

  test('is fatal when it stays taken', () => {
    while (refused.length === 0 && clock.nowMs() < 2 * REGISTRATION_MS) {
      last().answer({ failure: failure('DUPLICATE_BROKER_REGISTRATION', 'node.id 1 is in use') });
      clock.advance(HEARTBEAT_MS);
    }
    expect(refused.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      'DUPLICATE_BROKER_REGISTRATION: node.id 1 is in use',
    ]);
    const count = sessions.length;
    clock.advance(REGISTRATION_MS);
    expect(sessions.length).toBe(count);
  });
});

test('a node of another cluster is refused at once', () => {
  last().answer({ failure: failure('INCONSISTENT_CLUSTER_ID') });
  expect(refused.map(({ code }) => code)).toEqual(['INCONSISTENT_CLUSTER_ID']);
});

describe('controlled shutdown', () => {
  test('asks until the controller lets go', async () => {
    last().answer({});
    let isDone = false;
    const done = lifecycle.shutDown(60_000).then(() => {
      isDone = true;
    });
    clock.advance(20);
    expect(last().heartbeats.at(-1)!.wantsShutdown).toBe(true);
    last().answer({ mayShutDown: false });
    clock.advance(20);
    await Promise.resolve();
    expect(isDone).toBe(false);
    last().answer({ mayShutDown: true });
    await done;
  });

  test('ends by itself when nobody answers', async () => {
    last().answer({});
    const done = lifecycle.shutDown(5000);
    clock.advance(5000);
    await done;
  });
});

test('new metadata is acknowledged at once while another broker waits for that to shut down (P15)', () => {
  last().answer({});
  clock.advance(HEARTBEAT_MS / 2);
  const brokers = (inControlledShutdown: boolean) =>
    ({ brokers: new Map([[2, { id: 2, fenced: false, inControlledShutdown }]]) }) as unknown as MetadataImage;
  const before = last().heartbeats.length;
  lifecycle.metadataApplied(brokers(false));
  clock.advance(20);
  expect(last().heartbeats).toHaveLength(before);
  lifecycle.metadataApplied(brokers(true));
  clock.advance(20);
  expect(last().heartbeats).toHaveLength(before + 1);
});
