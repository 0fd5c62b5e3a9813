import { join } from 'node:path';
import { run } from '#lib/base/command.ts';
import { openLab, closeLab, keepLab } from '#lib/machines/local/lab.ts';
import { settings } from '#lib/base/settings.ts';
import { labOf } from '#lib/layers/lab.ts';
import { cluster } from '#lib/layers/cluster.ts';
import { istio } from '#lib/layers/istio.ts';
import { gateway } from '#lib/layers/gateway.ts';
import { deployApps, podsReady } from '#lib/layers/apps.ts';
const s = settings();
const t0 = performance.now(); const t = (m: string) => console.log(((performance.now()-t0)/1000).toFixed(2), m);
const { lab: local, kept } = await openLab(s); t('open '+kept);
const lab = labOf(s, local, { kubernetes: '/tmp/b/k8s/out', istio: '/tmp/b/istio-1.27.9/out', sidecarPackage: '', imageStore: '/tmp/b/store', vm: { image: '', snapshot: '' } });
await keepLab(local.dir, true);
const note = (x: string) => t(x);
try {
if (!kept) {
await Promise.all(lab.nodes.map(async (n) => { await run(['bash', '/tmp/clone.sh', '/tmp/b/store', join(n.dir, 'var/lib/containerd')]); await n.start(); })); t('nodes');
await cluster.up(lab, note); t('cluster');
}
await istio.up(lab, note); t('istio');
const g = gateway.up(lab, note).then(() => t('gateway'));
await deployApps(lab).then(() => podsReady(lab)); t('apps');
await g;
} catch (e) { console.log(e); }
if (process.argv[2] === 'down') { await closeLab(s.lab.name); t('closed'); }
process.exit();
