/** What the Raft driver needs from outside: a way to send, and a state to drive. */
import type { NodeId } from '@millrace/core';
import type { RaftMessage } from '@millrace/raft';

/** A controller and where it is reached, in the transport's own words (host:port); empty where it knows by itself. */
export interface QuorumPeer {
  readonly id: NodeId;
  readonly address: string;
}

/**
 * How Raft messages travel between controllers. Loss, delay, repetition and reordering are normal;
 * a message that arrives is whole, and comes from the node that it claims, of the same cluster id
 * (the transport's handshake checks both).
 */
export interface RaftTransport {
  /** Never throws and never waits: what cannot be sent soon is dropped. */
  send(to: NodeId, message: RaftMessage): void;
  /** At most one handler; the last one set wins. */
  onMessage(handler: (from: NodeId, message: RaftMessage) => void): void;
  /** The connection to `peer` broke. A hint: calling it in error costs an unneeded pre-vote round, nothing more. */
  onDisconnect(handler: (peer: NodeId) => void): void;
  /** Nodes to speak to from now on, beside those known before. A transport whose peers are fixed leaves the rest out. */
  connect?(peers: readonly QuorumPeer[]): void;
  /** Where a node, also this one, says that it is reached, or the configuration does. */
  addressOf?(node: NodeId): string | undefined;
  /** A controller was met that may not have been named before. At most one handler; tells those met already, too. */
  onPeer?(handler: (peer: NodeId) => void): void;
}

/** One committed record. Offsets count from 0 and are dense; terms are Raft's. */
export interface CommittedRecord {
  readonly offset: number;
  readonly term: number;
  /** `null` for a leader change or a voter set: it takes an offset and changes no state. */
  readonly data: Buffer | null;
}

/**
 * What the log drives. Synchronous and deterministic. A throw is fatal to the node: a replica that
 * cannot apply a committed record must not go on (KAFKA-14275).
 */
export interface QuorumStateMachine {
  /** In offset order, every record once. */
  apply(records: readonly CommittedRecord[]): void;
  /** The state after everything applied so far. The buffer must not be changed later. */
  snapshot(): Buffer;
  /** Replaces the state by a snapshot's: everything below `endOffset` is applied. */
  restore(data: Buffer, endOffset: number): void;
}

/** Leadership as the controller sees it: `elected` comes once its own leader change is applied, so its state is current. */
export type LeadershipEvent =
  | { readonly kind: 'elected'; readonly term: number }
  | { readonly kind: 'lost'; readonly term: number };
