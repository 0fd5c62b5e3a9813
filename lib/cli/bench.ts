import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { $, tmpfile } from 'zx';
import { ours } from '#lib/base/deadlines.ts';
import { messageOf, RefusedError } from '#lib/base/errors.ts';
import { duration, say } from '#lib/base/progress.ts';
import { settings as readSettings, type Settings } from '#lib/base/settings.ts';
import { until } from '#lib/base/until.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { outcomeOf, type LayerName } from '#lib/layers/layer.ts';
import { controlPlane } from '#lib/layers/istio.ts';
import { ensure, layers } from '#lib/layers/layers.ts';
import { openLabFor } from '#lib/layers/open.ts';
import { bothDirections } from '#lib/layers/directions.ts';
import { workloadFiles } from '#lib/layers/workload.ts';
import { closeLab } from '#lib/machines/local/lab.ts';

/**
 * npm run bench [-- <runs>]: how long each layer takes, beside the same steps as bare commands one after the other
 * (machines and cluster are the lab's own in both, and the VM comes with the sidecar's package). Nothing here asserts a
 * time.
 */
const [runs = 1] = process.argv.slice(2).map(Number);
$.quiet = true;

type Times = Record<string, number>;

try {
  if (!Number.isInteger(runs) || runs < 1) throw new RefusedError('npm run bench takes a number of runs.');
  const settings = {
    ...readSettings(),
    lab: { ...readSettings().lab, name: 'bench', keep: 'never' as const },
  };
  const ours: Times[] = [];
  const bare: Times[] = [];
  for (let run = 1; run <= runs; run += 1) {
    say(`run ${String(run)} of ${String(runs)}: the harness`);
    ours.push(await inLab(settings, harness));
    say(`run ${String(run)} of ${String(runs)}: bare commands`);
    bare.push(await inLab(settings, bareCommands));
  }
  print(ours, bare);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = error instanceof RefusedError ? 2 : 1;
}

async function inLab(settings: Settings, work: (lab: Lab) => Promise<Times>): Promise<Times> {
  try {
    const { lab } = await openLabFor(settings);
    const started = performance.now();
    const times = await work(lab);
    await until(
      '200 in both directions',
      async () => bothDirections(lab, 1),
      ({ vmToMesh, meshToVm }) => vmToMesh['200'] === 1 && meshToVm['200'] === 1,
      {
        within: ours.bothDirections,
      },
    );
    return { ...times, 'nothing to 200 in both directions': performance.now() - started };
  } finally {
    await closeLab(settings.lab.name);
  }
}

async function harness(lab: Lab): Promise<Times> {
  await ensure('apps', lab);
  return Object.fromEntries(layers.map(({ name }) => [name, outcomeOf(lab.dir, name)?.ms ?? 0]));
}

/** The article's steps, one after the other, with kubectl and istioctl as a person would type them. */
async function bareCommands(lab: Lab): Promise<Times> {
  const { settings, vm } = lab;
  const $$ = $({ env: { ...process.env, KUBECONFIG: lab.kubeconfig } });
  const istioctl = join(lab.programs.istio, 'istioctl');
  const kubectl = join(lab.programs.kubernetes, 'kubectl');
  const file = (name: string): string =>
    tmpfile(
      name.replaceAll('/', '-'),
      lab
        .manifest(name)
        .map((document) => stringify(document))
        .join('---\n'),
    );
  const times: Times = {};
  const timed = async (name: LayerName, step: () => Promise<unknown>): Promise<void> => {
    const started = performance.now();
    await step();
    times[name] = performance.now() - started;
  };

  await timed('machines', async () => ensure('machines', lab));
  await timed('cluster', async () => ensure('cluster', lab));
  const images = file('02-istio/local-images.yaml');
  await timed('istio', async () => {
    await $$`${istioctl} install -y ${controlPlane(lab).flatMap((name) => ['-f', file(name)])}`;
  });
  await timed('gateway', async () => {
    await $$`${istioctl} install -y -f ${file('02-istio/eastwest-gateway.yaml')} -f ${images}`;
    await $$`${kubectl} apply -f ${file('02-istio/expose-istiod.yaml')}`;
    await $$`${kubectl} label namespace ${settings.istioNamespace} topology.istio.io/network=${settings.clusterNetwork}`;
  });
  await timed('workload', async () => {
    const group = file('03-vm/workload-group.yaml');
    const into = workloadFiles(lab);
    await $$`${kubectl} apply -f ${group}`;
    await $$`${kubectl} get workloadgroup ${settings.vmApp} -n ${settings.vmNamespace} -o yaml > ${group}`;
    await $$`${istioctl} x workload entry configure -f ${group} -o ${into} --autoregister --clusterID ${settings.clusterName} --externalIP ${await vm.address()} --revision ${settings.istioRevision} --istioNamespace ${settings.istioNamespace}`;
    const istiod = `istiod-${settings.istioRevision}.${settings.istioNamespace}.svc:${String(settings.ports.ewg.istiod)}`;
    await $$`printf '%s\n' ${`CA_ADDR=${istiod}`} ${`PILOT_ADDRESS=${istiod}`} >> ${join(into, 'cluster.env')}`;
    const send = async (from: string, to: string): Promise<void> =>
      vm.write(to, await readFile(join(into, from)), { owner: 'istio-proxy:istio-proxy' });
    await vm.run(['mkdir', '-p', '/etc/certs', '/etc/istio/config', '/var/run/secrets/tokens']);
    await send('root-cert.pem', '/etc/certs/root-cert.pem');
    await send('cluster.env', '/var/lib/istio/envoy/cluster.env');
    await send('istio-token', '/var/run/secrets/tokens/istio-token');
    await send('mesh.yaml', '/etc/istio/config/mesh');
    await vm.run(['sh', '-c', 'cat >> /etc/hosts'], { input: await readFile(join(into, 'hosts')) });
    await vm.run([
      'sh',
      '-c',
      'chown -R istio-proxy:istio-proxy /etc/certs /var/run/secrets /var/lib/istio /var/log/istio',
    ]);
    await vm.run(['systemctl', 'start', 'istio'], { within: ours.sidecarFirst });
  });
  await timed('apps', async () => {
    for (const name of ['access-logs', 'helloworld', 'clients', 'route-to-vm']) {
      await $$`${kubectl} apply -f ${file(`04-traffic/${name}.yaml`)}`;
    }
    await vm.run([
      'systemd-run',
      '--quiet',
      '--unit=external-app',
      '--uid=ubuntu',
      'python3',
      '-m',
      'http.server',
    ]);
    await $$`${kubectl} wait --for=condition=Ready pod --all -n sample --timeout=120s`;
  });
  return times;
}

function print(ours: readonly Times[], bare: readonly Times[]): void {
  const median = (all: readonly Times[], name: string): number => {
    const sorted = all.map((times) => times[name] ?? Number.NaN).toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  };
  process.stdout.write(
    `| step (median of ${String(ours.length)}) | harness | bare commands |\n| --- | --- | --- |\n`,
  );
  for (const name of Object.keys(ours[0] ?? {})) {
    const other = median(bare, name);
    process.stdout.write(
      `| ${name} | ${duration(median(ours, name))} | ${Number.isNaN(other) ? '' : duration(other)} |\n`,
    );
  }
}
