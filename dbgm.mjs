import { ClusterSimulation } from './packages/simulator/dist/cluster/cluster-simulation.js';
import { MetadataStream } from './packages/grpc-api/dist/metadata-stream.js';
import { GrpcMetadataSubscription } from './packages/grpc-api/dist/metadata-subscription.js';
import { MetadataView } from './packages/broker/dist/metadata-view.js';
import { ControllerDirectory } from './packages/grpc-api/dist/controller-directory.js';
const [seed, from, to] = process.argv.slice(2);
const sim = new ClusterSimulation(Number(seed), {});
const world = sim.world;
const win = () => world.nowMs > Number(from) && world.nowMs < Number(to);
const t = () => world.nowMs.toFixed(3);
const { Controller } = await import('./packages/metadata-quorum/dist/index.js');
const tag = new WeakMap(); let n = 0;
const osub = Controller.prototype.subscribeLog;
Controller.prototype.subscribeLog = function (f, o) { const who = sim.nodes.find((x) => x.node?.controller === this)?.name ?? '?'; tag.set(f, `${who}#${++n}`); if (win()) console.log(t(), tag.get(f), 'subscribe from', o, 'image', this.image?.().offset); const u = osub.call(this, f, o); return () => { if (win()) console.log(t(), tag.get(f), 'unsubscribe'); return u(); }; };
for (const name of ['onEntries', 'onSnapshot', 'onClosed']) { const o = MetadataStream.prototype[name]; MetadataStream.prototype[name] = function (...a) { if (win()) console.log(t(), tag.get(this), name, name === 'onClosed' ? a[0]?.message : `${a[0].length} next ${a[1]}`); return o.apply(this, a); }; }
for (const name of ['onEntries', 'onSnapshot', 'onController']) { const o = MetadataView.prototype[name]; MetadataView.prototype[name] = function (...a) { const r = o.apply(this, a); if (win()) { const who = sim.nodes.find((x) => x.node?.broker?.image && x.node.broker.image() === this.image)?.name; console.log(t(), 'VIEW', who, name, name === 'onController' ? a[0] : `${a[0].length} next ${a[1]} image ${this.image.offset}`); } return r; }; }
const oc = ControllerDirectory.prototype.channel; ControllerDirectory.prototype.channel = function (id) { const c = oc.call(this, id); return new Proxy(c, { get: (target, p) => { const v = target[p]; if (p === 'serverStream') return (m, req, h) => { if (win()) console.log(t(), 'OPEN to', id, 'from', req.fromOffset, 'header', JSON.stringify(req.header)); return v.call(target, m, req, h); }; return typeof v === 'function' ? v.bind(target) : v; } }); };
try { const r = await sim.run(); console.log('ok', r.hash); } catch (e) { console.log(String(e.violation ?? e.stack).slice(0, 600)); }
process.exit(0);
