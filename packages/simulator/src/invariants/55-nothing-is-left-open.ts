/** Invariant 55: a node that was stopped leaves nothing open: no file, no timer, no connection. */

/** What is there of a node that has closed. */
export interface ClosedNode {
  readonly name: string;
  readonly openPaths: readonly string[];
  /** Whom it still has connections with. */
  readonly peers: readonly string[];
  /** Timers, and completions that are waited for. */
  readonly pendingEvents: number;
}

export const nothingIsLeftOpen = {
  number: 55,
  name: 'nothing-is-left-open',
  judge({ name, openPaths, peers, pendingEvents }: ClosedNode, violated: (text: string) => never): void {
    const left = [
      ...(openPaths.length > 0 ? [`the files ${openPaths.join(', ')}`] : []),
      ...(peers.length > 0 ? [`connections with ${peers.join(', ')}`] : []),
      ...(pendingEvents > 0 ? [`${pendingEvents} timers`] : []),
    ].join('; ');
    if (left !== '') violated(`${name} closed, and left ${left}`);
  },
};
