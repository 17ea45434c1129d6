/**
 * Where the replicas of new partitions go. Brokers stand in a ring in which racks alternate; the preferred leader
 * moves one place per partition, so that leaders spread evenly, and the followers' distance from it grows each time
 * round, so that the followers of one broker spread as well. Start and distance are random.
 */
import { below, invariant, type NodeId, type Random, shuffled } from '@millrace/core';

export interface PlacementBroker {
  readonly id: NodeId;
  /** Empty: in a rack with all others that have none. */
  readonly rack: string;
  /** Alive and staying. Others are taken only if there are not enough of these. */
  readonly active: boolean;
}

/**
 * Replicas for `partitionCount` partitions, the preferred leader first. Each partition spans as many racks as
 * there are, or as it has replicas.
 *
 * @param brokers at least `replicationFactor`, of which at least one is active.
 */
export function placeReplicas(
  brokers: readonly PlacementBroker[],
  partitionCount: number,
  replicationFactor: number,
  random: Random,
): NodeId[][] {
  const active = ringOf(
    brokers.filter((broker) => broker.active),
    random,
  );
  const spare = ringOf(
    brokers.filter((broker) => !broker.active),
    random,
  );
  invariant(active.length > 0 && active.length + spare.length >= replicationFactor, 'brokers suffice', {
    active: active.length,
    spare: spare.length,
    replicationFactor,
  });
  const start = below(random, active.length);
  const distance = active.length > 1 ? below(random, active.length - 1) : 0;
  return Array.from({ length: partitionCount }, (_, partition) => {
    const first = (start + partition) % active.length;
    const round = distance + Math.floor(partition / active.length);
    const others = rotated([...active.slice(first + 1), ...active.slice(0, first)], round);
    const chosen = [active[first]!];
    chooseMore(chosen, others, replicationFactor);
    chooseMore(chosen, rotated(spare, round), replicationFactor);
    return chosen.map((broker) => broker.id);
  });
}

/** Brokers of different racks next to each other, as far as possible. */
function ringOf(brokers: readonly PlacementBroker[], random: Random): PlacementBroker[] {
  const racks = new Map<string, PlacementBroker[]>();
  // The order of the registry must not matter, only the random source.
  for (const broker of [...brokers].sort((a, b) => a.id - b.id)) {
    racks.set(broker.rack, [...(racks.get(broker.rack) ?? []), broker]);
  }
  const columns = shuffled(random, [...racks.values()]).map((rack) => shuffled(random, rack));
  const ring: PlacementBroker[] = [];
  for (let row = 0; ring.length < brokers.length; row++) {
    for (const column of columns) if (row < column.length) ring.push(column[row]!);
  }
  return ring;
}

/** Adds candidates in order until there are `wanted`: first from racks that are least used so far. */
function chooseMore(chosen: PlacementBroker[], candidates: readonly PlacementBroker[], wanted: number): void {
  const rest = [...candidates];
  while (chosen.length < wanted && rest.length > 0) {
    const uses = (rack: string): number => chosen.filter((broker) => broker.rack === rack).length;
    let best = 0;
    for (let i = 1; i < rest.length; i++) if (uses(rest[i]!.rack) < uses(rest[best]!.rack)) best = i;
    chosen.push(...rest.splice(best, 1));
  }
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const at = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}
