/** Who asks, as groups keep it of their members and as operators see it. */
import type { GroupCaller } from '@millrace/groups';
import type { RequestFacts } from './handler.ts';

/** How a socket that takes both kinds of addresses writes one of the old kind. */
const MAPPED_IPV4 = /^::ffff:(?=\d+\.)/;

export function callerOf({ clientId, connection }: RequestFacts): GroupCaller {
  return { clientId, clientHost: connection.peerHost.replace(MAPPED_IPV4, '') };
}
