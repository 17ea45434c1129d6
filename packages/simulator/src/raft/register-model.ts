/** A register as one object that does one thing at a time: what histories of simulated clients are compared with. */
import type { Call, SequentialModel } from '../history/linearizability.ts';

export type RegisterInput = { readonly write: number } | 'read';
/** A write answers 0, a read the value. */
export type RegisterCall = Call<RegisterInput, number>;

export const registerModel: SequentialModel<number, RegisterInput, number> = {
  initial: 0,
  step(state, input, output) {
    if (input !== 'read') return [input.write];
    return output === undefined || output === state ? [state] : [];
  },
  fingerprint: (state) => String(state),
};
