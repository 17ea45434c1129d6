import { ClusterSimulation } from './packages/simulator/dist/cluster/cluster-simulation.js';
import { MetadataQuorum } from './packages/metadata-quorum/dist/index.js';
const [seed, nodeName, from, to] = process.argv.slice(2);
const sim = new ClusterSimulation(Number(seed), {});
const world = sim.world; const node = sim.nodes.find((n) => n.name === nodeName);
const win = () => world.nowMs > Number(from) && world.nowMs < Number(to);
const mount = node.raftDisk.mount.bind(node.raftDisk);
node.raftDisk.mount = () => { const s = mount(); for (const name of ['write','append','save','load','saveSnapshot','truncate']) { const o = s[name]; if (!o) continue; s[name] = function (...a) { const t = world.nowMs; if (win()) console.log(t.toFixed(3), 'raft', name, JSON.stringify(a).slice(0, 150)); const r = o.apply(this, a); if (r?.then) r.then(() => { if (win()) console.log(world.nowMs.toFixed(3), 'raft done', name, t.toFixed(3)); }, (e) => console.log('raft failed', e.message)); return r; }; } return s; };
world.schedule(Number(to) - 200, () => { for (const n of sim.nodes) { const c = n.node?.controller; console.log(n.name, JSON.stringify(n.node?.quorum?.status?.() ?? Object.keys(n.node ?? {}), (k, v) => typeof v === 'bigint' ? String(v) : v)?.slice(0, 600)); } });
world.trace.printTo((line) => { if (win() && /Raft\/Talk|raft_|quorum/.test(line)) console.log(line.slice(0, 150)); });
try { const r = await sim.run(); console.log('ok', r.hash); } catch (e) { console.log(String(e.violation ?? e.stack).slice(0, 600)); }
process.exit(0);
