/**
 * How many bytes a request may add to the log of groups, at most. Asked before the machine is stepped: what it decided
 * could not be taken back if no batch held it.
 */
import type { GroupRequestName, GroupRequests } from '@millrace/groups';

type Sizes = { readonly [N in GroupRequestName]: (request: GroupRequests[N]['request']) => number };

/** Of UTF-8 for one unit of a JavaScript string, at most. */
const CHARACTER_BYTES = 3;
/** Numbers, lengths and versions of one record, or of one entry in it. */
const ENTRY_BYTES = 64;
const PARTITION_BYTES = 4;

const SIZES: Sizes = {
  joinGroup: ({ groupId, memberId, groupInstanceId = '', clientId, clientHost, protocols, reason }) => {
    let bytes = ENTRY_BYTES + sizeOf(groupId, memberId, groupInstanceId, clientId, clientHost, reason);
    for (const { name, metadata } of protocols) bytes += ENTRY_BYTES + sizeOf(name) + metadata.length;
    return bytes;
  },
  syncGroup: ({ groupId, assignments }) => {
    let bytes = ENTRY_BYTES + sizeOf(groupId);
    for (const { memberId, assignment } of assignments) {
      bytes += ENTRY_BYTES + sizeOf(memberId) + assignment.length;
    }
    return bytes;
  },
  heartbeat: ({ groupId, memberId }) => ENTRY_BYTES + sizeOf(groupId, memberId),
  leaveGroup: ({ groupId, members }) => {
    let bytes = ENTRY_BYTES + sizeOf(groupId);
    for (const { memberId, groupInstanceId = '' } of members) {
      bytes += ENTRY_BYTES + sizeOf(groupId, memberId, groupInstanceId);
    }
    return bytes;
  },
  consumerGroupHeartbeat: (request) => {
    const { groupId, memberId, groupInstanceId = '', rackId = '', clientId, clientHost, reason } = request;
    const { subscribedTopicNames = [], subscribedTopicRegex = '', serverAssignor = '' } = request;
    let bytes =
      ENTRY_BYTES + sizeOf(groupId, memberId, groupInstanceId, rackId, clientId, clientHost, reason);
    bytes += sizeOf(subscribedTopicRegex, serverAssignor);
    for (const name of subscribedTopicNames) bytes += sizeOf(name);
    for (const { partitions } of request.topicPartitions ?? []) {
      bytes += ENTRY_BYTES + PARTITION_BYTES * partitions.length;
    }
    return bytes;
  },
  offsetCommit: ({ groupId, offsets }) => {
    let bytes = 0;
    const ownBytes = ENTRY_BYTES + sizeOf(groupId);
    for (const { topic, metadata } of offsets) bytes += ownBytes + sizeOf(topic, metadata);
    return bytes;
  },
  offsetDelete: ({ groupId, partitions }) => {
    let bytes = 0;
    const ownBytes = ENTRY_BYTES + sizeOf(groupId);
    for (const { topic } of partitions) bytes += ownBytes + sizeOf(topic);
    return bytes;
  },
  deleteGroup: ({ groupId }) => ENTRY_BYTES + sizeOf(groupId),
};

export function sizeOfRequest<N extends GroupRequestName>(
  name: N,
  request: GroupRequests[N]['request'],
): number {
  return SIZES[name](request);
}

function sizeOf(...texts: readonly string[]): number {
  let characters = 0;
  for (const { length } of texts) characters += length;
  return characters * CHARACTER_BYTES;
}
