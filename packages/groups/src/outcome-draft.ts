/** What one step of the coordinator has to say so far: records to append, and answers that wait for them. */
import type { GroupAnswer, GroupOutcome, RequestToken } from './group-coordinator.ts';
import type { GroupRecord } from './group-record.ts';
import { recordBytesAtMost } from './record-size.ts';

export class OutcomeDraft implements GroupOutcome {
  readonly records: GroupRecord[] = [];
  readonly answers: GroupAnswer[] = [];
  #bytes = 0;

  /** What the records take in a batch, at most. */
  get bytes(): number {
    return this.#bytes;
  }

  /** `record` is applied already. */
  write(record: GroupRecord): void {
    this.records.push(record);
    this.#bytes += recordBytesAtMost(record);
  }

  answer(token: RequestToken, response: GroupAnswer['response']): void {
    this.answers.push({ token, response });
  }
}
