import { ClusterSimulation } from './packages/simulator/dist/cluster/cluster-simulation.js';
import { BatchView } from './packages/records/dist/index.js';
const sim = new ClusterSimulation(61720, {}); const w = sim.world;
for (const at of [40000, 40044, 50000, 60000, 61200]) w.schedule(at, () => { const b = Buffer.from(sim.nodes[2].disk.get('/data/strict-0/00000000000000000000.log') ?? []); let p = 0; const out = []; for (let i = 0; i < 6; i++) { const v = BatchView.at(b, p); if (!v) break; out.push(`@${p} base ${v.baseOffset} delta ${v.lastOffsetDelta} size ${v.sizeBytes} crc ${v.isCrcValid()} epoch ${v.leaderEpoch}`); p += v.sizeBytes; } console.log(at, b.length, out.join(' | ')); });
try { await sim.run(); } catch (e) { console.log(e.violation); } process.exit(0);
