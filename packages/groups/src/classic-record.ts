/** The record that a classic group is, as it stands. Reads it; changes nothing. */
import { metadataFor } from './classic-member.ts';
import type { ClassicRebalance } from './classic-rebalance.ts';
import type { ClassicGroupRecord } from './group-record.ts';

export function classicGroupRecord(group: ClassicRebalance): ClassicGroupRecord {
  const members = [...group.roster.members()].map((member) => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    sessionTimeoutMs: member.sessionTimeoutMs,
    subscription: metadataFor(member, group.protocolName),
    assignment: member.assignment,
  }));
  return {
    kind: 'classic-group',
    groupId: group.groupId,
    value: {
      protocolType: group.protocolType ?? '',
      generation: group.generation,
      protocol: group.protocolName,
      leader: group.roster.leaderId,
      stateAtMs: group.stateAtMs,
      members,
    },
  };
}
