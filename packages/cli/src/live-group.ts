/** What belongs to the members of a group is theirs while there are any: the refusal, with who they are. */
import type { GroupInfo, GroupMember } from '@millrace/client';
import { CliError } from './cli-error.ts';
import { EXIT } from './exit-code.ts';
import { quotedName } from './printable.ts';

/** Enough to know whose they are. */
const MEMBERS_NAMED = 5;

export function liveGroupError({ groupId, state, members }: GroupInfo, what: string): CliError {
  const named = members.slice(0, MEMBERS_NAMED).map(memberName);
  const more = members.length > named.length ? ` and ${members.length - named.length} more` : '';
  const count = members.length === 1 ? '1 member' : `${members.length} members`;
  return new CliError(
    'NON_EMPTY_GROUP',
    EXIT.conflict,
    `group ${quotedName(groupId)} is ${state} with ${count}: ${named.join(', ')}${more}; ${what}`,
    'Stop its members first; a member that was killed is expired after its session timeout.',
  );
}

function memberName({ clientId, clientHost, memberId, groupInstanceId }: GroupMember): string {
  const name = groupInstanceId ?? (clientId === '' ? memberId : clientId);
  return clientHost === '' ? name : `${name} (${clientHost})`;
}
