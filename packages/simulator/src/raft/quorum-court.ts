/** Brings what happens in a quorum before every invariant, then into the model: a judge sees the world as it was before. */
import type { CommittedRecord, QuorumPosition, RaftStoreWrite } from '@millrace/metadata-quorum';
import type { DurableState, RaftMessage, Snapshot } from '@millrace/raft';
import { QuorumModel } from './quorum-model.ts';
import type { Member, QuorumInvariant, QuorumJudge } from './quorum-observation.ts';

/** Who listens to one kind of observation; most judges listen to one or two. */
type Listeners = { readonly [K in keyof QuorumJudge]-?: NonNullable<QuorumJudge[K]>[] };

export class QuorumCourt implements Required<QuorumJudge> {
  readonly model = new QuorumModel();
  readonly #listeners: Listeners = {
    loaded: [],
    asked: [],
    durable: [],
    snapshotAsked: [],
    snapshotDurable: [],
    sent: [],
    received: [],
    applied: [],
    restored: [],
    served: [],
    readBegan: [],
    readServed: [],
    stepped: [],
  };

  /** @param violated is told the invariant and what happened, and throws. */
  constructor(invariants: readonly QuorumInvariant[], violated: (violation: string) => never) {
    for (const { number, name, judge } of invariants) {
      this.#hear(judge(this.model, (text) => violated(`invariant ${number} ${name}: ${text}`)));
    }
    this.#hear(this.model);
  }

  loaded(member: Member, state: DurableState): void {
    for (const listen of this.#listeners.loaded) listen(member, state);
  }

  asked(member: Member, write: RaftStoreWrite): void {
    for (const listen of this.#listeners.asked) listen(member, write);
  }

  durable(member: Member, write: RaftStoreWrite): void {
    for (const listen of this.#listeners.durable) listen(member, write);
  }

  snapshotAsked(member: Member, snapshot: Snapshot, compactTo: number): void {
    for (const listen of this.#listeners.snapshotAsked) listen(member, snapshot, compactTo);
  }

  snapshotDurable(member: Member, snapshot: Snapshot, compactTo: number): void {
    for (const listen of this.#listeners.snapshotDurable) listen(member, snapshot, compactTo);
  }

  sent(member: Member, to: number, message: RaftMessage): void {
    for (const listen of this.#listeners.sent) listen(member, to, message);
  }

  received(member: Member, from: number, message: RaftMessage): void {
    for (const listen of this.#listeners.received) listen(member, from, message);
  }

  applied(member: Member, records: readonly CommittedRecord[], digest: number): void {
    for (const listen of this.#listeners.applied) listen(member, records, digest);
  }

  restored(member: Member, endOffset: number, digest: number): void {
    for (const listen of this.#listeners.restored) listen(member, endOffset, digest);
  }

  served(member: Member): void {
    for (const listen of this.#listeners.served) listen(member);
  }

  readBegan(member: Member, read: object): void {
    for (const listen of this.#listeners.readBegan) listen(member, read);
  }

  readServed(member: Member, read: object): void {
    for (const listen of this.#listeners.readServed) listen(member, read);
  }

  stepped(member: Member, status: QuorumPosition): void {
    for (const listen of this.#listeners.stepped) listen(member, status);
  }

  #hear(judge: QuorumJudge): void {
    for (const kind of Object.keys(this.#listeners) as (keyof QuorumJudge)[]) {
      const listen = judge[kind];
      // Each list takes its own kind of function, which a loop over kinds cannot say.
      if (listen !== undefined) (this.#listeners[kind] as unknown[]).push(listen.bind(judge));
    }
  }
}
