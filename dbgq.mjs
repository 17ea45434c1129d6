import { ClusterSimulation } from './packages/simulator/dist/cluster/cluster-simulation.js';
const [seed, ...times] = process.argv.slice(2);
const sim = new ClusterSimulation(Number(seed), {});
const world = sim.world;
for (const at of times) world.schedule(Number(at), () => { for (const n of sim.nodes.slice(0, 3)) void n.raftDisk.copy().then((c) => c.mount().load()).then((s) => console.log(at, n.name, 'hard', s.hardState.term, 'vote', s.hardState.votedFor?.id, 'snap', s.snapshot?.index, s.snapshot?.term, 'start', JSON.stringify(s.logStart), s.entries.map((e) => `${e.index}/${e.term}${e.kind === 'data' ? '' : e.kind}`).join(' '), 'image', n.node?.controller?.image?.().offset)); });
world.trace.printTo((line) => { if (/quorum_|controller_active|killed|  start |wiped|restored|\] *$orderly/.test(line) && !/admin|consumer|producer|founder/.test(line)) console.log(line.slice(0, 150)); });
try { const r = await sim.run(); console.log('ok', r.hash); } catch (e) { console.log(String(e.violation ?? e.stack).slice(0, 600)); }
process.exit(0);
