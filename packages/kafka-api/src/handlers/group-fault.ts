/** Why a group is not described as what it was asked for. Says its name: clients show the words alone. */
import { type Failure, failure } from '@millrace/broker';
import type { DescribedGroup, GroupType } from '@millrace/groups';

/** @param asked the kind of group that the API describes; for it, a group of another kind is not there. */
export function faultOf(
  { groupId, failure: fault, type }: DescribedGroup,
  asked: GroupType,
): Failure | undefined {
  if (fault?.code === 'GROUP_ID_NOT_FOUND') return failure(fault.code, `group ${groupId} does not exist`);
  if (fault !== undefined || type === asked) return fault;
  return failure('GROUP_ID_NOT_FOUND', `group ${groupId} is not a ${asked} group`);
}
