/**
 * The metadata quorum of a whole cluster before the invariants of quorums: what its disks are asked to hold and hold, and
 * where each controller stands after each of its events. Messages between controllers are not seen here, nor is what clients
 * ask of them; the world of quorums alone has those.
 */
import type { RaftStore } from '@millrace/metadata-quorum';
import { observedStore } from '../raft/observed-store.ts';
import { QuorumCourt } from '../raft/quorum-court.ts';
import { WATCHED_QUORUM_INVARIANTS } from '../raft/quorum-invariants.ts';
import type { Member } from '../raft/quorum-observation.ts';
import type { SimLife } from '../world/sim-process.ts';
import type { ClusterNode } from './cluster-node.ts';

export class QuorumWatch {
  readonly #court: QuorumCourt;
  readonly #members = new WeakMap<SimLife, Member>();

  constructor(violated: (text: string) => never) {
    this.#court = new QuorumCourt(WATCHED_QUORUM_INVARIANTS, violated);
  }

  /** The store of this life of the node, looked at. @param directoryId of its data directory */
  observed(node: ClusterNode, life: SimLife, directoryId: string, store: RaftStore): RaftStore {
    const member: Member = {
      id: node.plan.id,
      directoryId,
      life: life.number,
      nowMs: () => life.clock.nowMs(),
      voters: () => controllerOf(node, life)?.voters() ?? [],
      highWatermark: () => controllerOf(node, life)?.position().highWatermark ?? 0,
    };
    this.#members.set(life, member);
    return observedStore(store, member, this.#court);
  }

  /** Call it after each event of a node. */
  look(node: ClusterNode): void {
    const { life } = node.process;
    const member = life && this.#members.get(life);
    const controller = life && controllerOf(node, life);
    if (member === undefined || controller === undefined) return;
    const position = controller.position();
    this.#court.stepped(member, position);
    this.#commit(member, position.appliedOffset);
  }

  /** What somebody has applied is committed, and on its own disk. */
  #commit(member: Member, appliedOffset: number): void {
    const { committed } = this.#court.model;
    const { durable } = this.#court.model.directory(member);
    while (committed.length < appliedOffset) {
      const offset = committed.length;
      const term = durable.termAt(offset + 1);
      // It has applied this as part of a snapshot: another one will tell.
      if (term === undefined) return;
      this.#court.applied(member, [{ offset, term, data: null }], 0);
    }
  }
}

function controllerOf({ node, process }: ClusterNode, life: SimLife) {
  return process.life === life ? node?.controller : undefined;
}
