/** The process that judges damaged metadata stores, one after the other, as it is told. Never loaded by any other process. */
import { type JudgeOrder, judgeRaftStore } from './raft-store-judge.ts';

process.on('message', (order: JudgeOrder) => {
  void judgeRaftStore(order).then((verdict) => process.send?.(verdict));
});
process.on('disconnect', () => process.exit());
