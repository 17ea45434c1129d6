/**
 * Invariant 53: every call ends in a reply, an error or its deadline. A caller's deadline is kept by whoever carries its calls;
 * here it is the node that was called: it is done with each call once nobody waits for the answer any more, and with all of
 * them once it has closed.
 */

/** A call that arrived at a node and has not been answered. */
export interface OpenCall {
  readonly path: string;
  readonly caller: string;
  readonly node: string;
  /** Since it arrived, by the node's own clock. */
  readonly ageMs: number;
  /** That the caller would wait when it arrived. */
  readonly deadlineMs: number;
}

/** Nobody waits any more, and whoever works on it has had time to notice. */
const SLACK_MS = 10_000;

export const everyCallEnds = {
  number: 53,
  name: 'every-call-ends',
  /** @param isOver the node has closed */
  judge(calls: Iterable<OpenCall>, isOver: boolean, violated: (text: string) => never): void {
    for (const { path, caller, node, ageMs, deadlineMs } of calls) {
      if (!isOver && ageMs <= deadlineMs + SLACK_MS) continue;
      violated(`${node} has not answered ${path} of ${caller} for ${ageMs.toFixed(0)} of ${deadlineMs} ms`);
    }
  },
};
