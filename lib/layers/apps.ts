import { seconds, until } from '#lib/base/until.ts';
import { bothDirections } from './directions.ts';
import type { Lab } from './lab.ts';
import type { Layer } from './layer.ts';

/** helloworld v1 and v2, the curl pods, and external-app on the VM behind its service. */
export const apps: Layer = {
  name: 'apps',
  needs: ['workload'],
  startsAfter: ['istio'],
  title: 'Applications: helloworld, curl, external-app',
  expectedMs: 15_000,

  async up(lab) {
    await Promise.all([deployApps(lab), startHttpServer(lab)]);
    await podsReady(lab);
    await until(
      '200 in both directions',
      async () => bothDirections(lab, 1),
      ({ vmToMesh, meshToVm }) => vmToMesh['200'] === 1 && meshToVm['200'] === 1,
      { within: seconds(180), every: 300 },
    );
  },

  async check(lab) {
    await podsReady(lab, seconds(10));
  },

  async down({ kube }) {
    await kube.remove({ apiVersion: 'v1', kind: 'Namespace', name: 'sample' });
    await kube.remove({ apiVersion: 'v1', kind: 'Namespace', name: 'outside' });
  },
};

/** Applies the manifests of the apps; waits for nothing. */
export async function deployApps({ kube, manifest }: Lab): Promise<void> {
  const namespace = manifest('03-vm/workload-group.yaml').filter(({ kind }) => kind === 'Namespace');
  const files = ['access-logs', 'helloworld', 'clients', 'route-to-vm'];
  const documents = [...namespace, ...files.flatMap((file) => manifest(`04-traffic/${file}.yaml`))];
  for (const document of documents) await kube.apply(document);
}

/** Waits until all pods of the apps are ready. */
export async function podsReady({ kube }: Lab, within = seconds(120)): Promise<void> {
  await until(
    'the pods of namespaces sample and outside are ready',
    async () =>
      (await Promise.all(['sample', 'outside'].map(async (namespace) => kube.list('v1', 'Pod', namespace))))
        .flat()
        .map((pod) => {
          const conditions = (pod.status?.['conditions'] ?? []) as { type: string; status: string }[];
          return `${pod.metadata?.name ?? ''} ${conditions.find(({ type }) => type === 'Ready')?.status ?? 'Unknown'}`;
        }),
    (pods) => pods.length >= 4 && pods.every((pod) => pod.endsWith(' True')),
    { within, every: 200 },
  );
}

const unit = 'external-app';

/** Runs `python3 -m http.server` on the VM, from the home of the article's user, until it is stopped. */
export async function startHttpServer({ vm }: Lab): Promise<void> {
  if ((await vm.attempt(['systemctl', 'is-active', '--quiet', unit])).code === 0) return;
  await vm.attempt(['systemctl', 'reset-failed', unit]);
  await vm.run([
    ...['systemd-run', '--quiet', `--unit=${unit}`, '--uid=ubuntu', '--working-directory=/home/ubuntu'],
    ...['--setenv=PYTHONUNBUFFERED=1', 'python3', '-m', 'http.server'],
  ]);
}

export async function stopHttpServer({ vm }: Lab): Promise<void> {
  await vm.attempt(['systemctl', 'stop', unit]);
}
