import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '#lib/base/files.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { nodesIn } from './sources.ts';
import { telling, type Known } from './scan.ts';

/** The secrets that a lab was built with, as they lie on disk: none of them may be in a bundle. */
export async function secretsOf(
  lab: Pick<Lab, 'dir' | 'nodes' | 'features' | 'kubeconfig'>,
): Promise<Known[]> {
  const { dir, kubeconfig } = lab;
  const known: Known[] = [];
  const take = async (what: string, file: string): Promise<void> => {
    if (exists(file)) known.push(...telling(what, await readFile(file, 'utf8')));
  };
  await take('the token of the VM', join(dir, 'workload-files/istio-token'));
  const ofK3s = (node: { dir: string }): string => join(node.dir, 'var/lib/rancher/k3s/server');
  for (const node of nodesIn(lab)) await take('the token of the nodes', join(ofK3s(node), 'node-token'));
  const folders = [
    join(dir, 'kubernetes/pki'),
    ...nodesIn(lab).flatMap((node) => [join(node.dir, 'var/kubernetes/pki'), join(ofK3s(node), 'tls')]),
  ];
  for (const pki of folders) {
    if (!exists(pki)) continue;
    for (const file of await readdir(pki, { recursive: true }))
      if (file.endsWith('.key')) await take(`the key ${file} of the cluster`, join(pki, file));
  }
  if (exists(kubeconfig)) {
    const text = await readFile(kubeconfig, 'utf8');
    const [, data = ''] = /client-key-data"?:\s*"?([^\s"]+)/.exec(text) ?? [];
    known.push(...telling('the key of the kubeconfig', data));
    known.push(...telling('the key of the kubeconfig', Buffer.from(data, 'base64').toString('utf8')));
    const [, token = ''] = /"token":\s*"([^"]+)"/.exec(text) ?? [];
    known.push(...telling('the token of the kubeconfig', token));
  }
  return known;
}
