/** Answers of the classic protocol in the shapes that its requests wait for. No decision is made here. */
import type { ErrorCode } from '@millrace/core';
import { ERRORS } from '@millrace/core';
import type { GroupFailure, JoinGroupResponse, SyncGroupResponse } from './group-api.ts';

const NO_GENERATION = -1;
export const NO_BYTES: Buffer = Buffer.alloc(0);

/** With the code's own words where the case has none. */
export function failureOf(code: ErrorCode, message: string = ERRORS[code].help): GroupFailure {
  return { code, message };
}

export function joinFailure(memberId: string, failure: GroupFailure): JoinGroupResponse {
  return {
    failure,
    generationId: NO_GENERATION,
    protocolType: undefined,
    protocolName: undefined,
    leader: '',
    memberId,
    skipAssignment: false,
    members: [],
  };
}

export function syncFailure(failure: GroupFailure): SyncGroupResponse {
  return { failure, protocolType: undefined, protocolName: undefined, assignment: NO_BYTES };
}
