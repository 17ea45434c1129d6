import { ClusterSimulation } from './packages/simulator/dist/cluster/cluster-simulation.js';
import { LogStore } from './packages/storage/dist/index.js';
const [seed, nodeName, from] = process.argv.slice(2);
const sim = new ClusterSimulation(Number(seed), {});
const world = sim.world; const node = sim.nodes.find((n) => n.name === nodeName);
const { SimFileSystem } = await import('./packages/simulator/dist/disk/sim-file-system.js');
const orig = SimFileSystem.prototype.wait;
const tree = node.disk;
SimFileSystem.prototype.wait = async function (operation, path, bytes, failed) {
  const mine = world.nowMs > Number(from);
  const id = Math.random().toString(36).slice(2, 6);
  if (mine) console.log(world.nowMs.toFixed(3), world.currentName ?? '', 'begin', id, operation, path);
  const r = await orig.call(this, operation, path, bytes, failed);
  if (mine) console.log(world.nowMs.toFixed(3), 'end', id);
  return r;
};
const oo = LogStore.open; LogStore.open = async function (o) { console.log(world.nowMs, 'LogStore.open'); const s = await oo.call(this, o); console.log(world.nowMs, 'LogStore opened'); return s; };
const op = LogStore.prototype.openPartition; LogStore.prototype.openPartition = async function (id, c) { const t = world.nowMs > Number(from); if (t) console.log(world.nowMs, 'openPartition', id.topic, id.partition); try { const l = await op.call(this, id, c); if (t) console.log(world.nowMs, 'openedPartition', id.topic, id.partition, l.offline?.message); return l; } catch (e) { if (t) console.log('open failed', e.message); throw e; } };
try { const r = await sim.run(); console.log('ok', r.hash); } catch (e) { console.log(String(e.violation ?? e.stack).slice(0, 600)); }
process.exit(0);
